"""Screens at the doors of places: what each shows, what may be done there, and the key to it.

Elsewhere in this code a door is a way into the services (a page, the API); these hang on a wall.
"""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import NameField
from accounts.models import LANGUAGES
from spaces.codes import new_code
from spaces.models import Place, Space


class DoorViewQuerySet[D: models.Model](models.QuerySet[D]):
    def of(self, space: Space) -> Self:
        return self.filter(space=space).order_by("name", "pk")


class DoorView(models.Model):
    """A screen that needs no sign-in: whoever has its address has it. Only the key's hash is kept.

    What it may do is written here, and it can do nothing else.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, related_name="door_views", verbose_name=_("space")
    )
    name = NameField(pgettext_lazy("of a screen", "name"), max_length=60)
    #: Codes of places. Not rows: a place that goes must not turn "this room" into "everything".
    places = models.JSONField(_("places"), default=list)
    is_of_all = models.BooleanField(_("all places"), default=False)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="en")
    shows_names = models.BooleanField(_("shows names"), default=False)
    may_check_in = models.BooleanField(_("may check in"), default=False)
    may_walk_in = models.BooleanField(_("may take a free place"), default=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("ends with"), max_length=4, editable=False)
    created_at = models.DateTimeField(_("made"))
    last_seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)

    objects: ClassVar[models.Manager["DoorView"]] = DoorViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("door view")
        verbose_name_plural = _("door views")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="door_view_named"),
        ]

    def __str__(self) -> str:
        return self.name

    def shows(self, place: Place) -> bool:
        return self.is_of_all or str(place.code) in self.places
