"""People who come without an account, as the staff of one space know them."""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from spaces.codes import new_code
from spaces.models import Space


class GuestQuerySet[G: models.Model](models.QuerySet[G]):
    def of(self, space: Space) -> Self:
        return self.filter(space=space)


class Guest(models.Model):
    """Somebody without an account whom a space has met, found again by phone, e-mail or name.

    A booking keeps its own copy of name and contact: what was said then.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, related_name="guests", verbose_name=_("space")
    )
    name = models.CharField(_("name"), max_length=150)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    # The international number's digits, for searching however somebody spells it.
    phone_digits = models.CharField(max_length=20, blank=True, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)  # in lower case
    note = models.CharField(
        _("note"), max_length=500, blank=True, help_text=_("For the staff alone.")
    )
    allergies = models.CharField(_("allergies and wishes"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("known since"))

    objects: ClassVar[models.Manager["Guest"]] = GuestQuerySet.as_manager()

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="guest_named"),
        ]
        indexes = [
            models.Index(fields=["space", "phone_digits"], name="guest_by_phone"),
            models.Index(fields=["space", "email"], name="guest_by_email"),
        ]

    def __str__(self) -> str:
        return self.name
