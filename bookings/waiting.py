"""The list at a restaurant's door: who waits for a table, and what they have to be told.

The table that is held for somebody is a booking in the state OFFERED, so the constraint on slots
keeps everybody else off it. See `bookings.deciding.waiting_list` and `docs/tables.md`.
"""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import NameField
from accounts.models import LANGUAGES
from accounts.watching import RequestField
from bookings.guests import Guest
from bookings.states import State
from spaces.codes import new_code
from spaces.models import Space

#: Nobody stands at a door for longer: whoever is still on the list then has gone home.
AN_EVENING = timedelta(hours=12)

#: How long the list shows who did not answer, so that the staff can still look for them.
SHOWN_LAPSED_FOR = timedelta(hours=1)


class PartyState(models.TextChoices):
    WAITING = "WAITING", pgettext_lazy("a party at the door", "waiting")
    TOLD = "TOLD", pgettext_lazy("a party at the door", "told")
    COMING = "COMING", pgettext_lazy("a party at the door", "coming")
    SEATED = "SEATED", pgettext_lazy("a party at the door", "seated")
    DECLINED = "DECLINED", pgettext_lazy("a party at the door", "declined")
    LAPSED = "LAPSED", pgettext_lazy("a party at the door", "did not answer")
    LEFT = "LEFT", pgettext_lazy("a party at the door", "left")


#: Still on the list.
ON_THE_LIST = (PartyState.WAITING, PartyState.TOLD, PartyState.COMING)

#: A table is kept for them, or for whoever of them is first.
WITH_TABLE = (PartyState.TOLD, PartyState.COMING)

#: The staff may tell them that a table is ready.
CAN_BE_TOLD = (PartyState.WAITING, PartyState.LAPSED)


class WaitingQuerySet[W: models.Model](models.QuerySet[W]):
    def of(self, space: Space) -> Self:
        return self.filter(space=space)

    def on_the_list(self) -> Self:
        return self.filter(state__in=ON_THE_LIST)

    def off_the_list(self) -> Self:
        return self.exclude(state__in=ON_THE_LIST)

    def told(self) -> Self:
        return self.filter(state=PartyState.TOLD)

    def in_order(self) -> Self:
        """In the order in which they came."""
        return self.order_by("created_at", "pk")

    def shown(self, now: datetime) -> Self:
        """Whom the staff see: the list, and who has just not answered."""
        lapsed = Q(state=PartyState.LAPSED, told_at__gt=now - SHOWN_LAPSED_FOR)
        found = self.filter(Q(state__in=ON_THE_LIST) | lapsed, created_at__gt=now - AN_EVENING)
        # Seated, cancelled or missed on another page; a worker closes the row in a moment.
        return found.exclude(
            ~Q(booking__state__in=[State.CONFIRMED, State.OFFERED]), state=PartyState.COMING
        )

    def ahead_of(self, party: "WaitingParty") -> Self:
        """Who came before, and still waits."""
        earlier = Q(created_at__lt=party.created_at) | Q(
            created_at=party.created_at, pk__lt=party.pk
        )
        return self.filter(earlier, space=party.space_id, state=PartyState.WAITING)

    def become(self, state: str, **changes: object) -> int:
        """Change state, and what else, so that open pages notice; return how many."""
        return self.update(state=state, version=F("version") + 1, **changes)


class WaitingParty(models.Model):
    """One party at the door, with its link: see `bookings.deciding.waiting_links`."""

    State = PartyState

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, related_name="waiting_parties", db_index=False
    )
    guest = models.ForeignKey(
        Guest, on_delete=models.CASCADE, null=True, related_name="waiting_parties"
    )
    name = NameField(pgettext_lazy("of a person", "name"), max_length=150)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    party_size = models.PositiveSmallIntegerField(pgettext_lazy("how many", "people"))
    area = models.CharField(_("area"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="en")
    state = models.CharField(
        _("state"), max_length=8, choices=PartyState.choices, default=PartyState.WAITING
    )
    # The hold while they are told, then their visit.
    booking = models.ForeignKey(
        "bookings.Booking", on_delete=models.SET_NULL, null=True, related_name="waiting_parties"
    )
    # What they were told when they came. None: nobody could say.
    quoted_minutes = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    # When somebody else was quicker to say yes.
    missed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Counts the changes, so that an open page knows whether it has seen all.
    version = models.PositiveIntegerField(default=1)
    request_key = models.CharField(max_length=200, null=True, editable=False)  # noqa: DJ001 - many without
    nonce = models.CharField(max_length=43, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["WaitingParty"]] = WaitingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("waiting party")
        verbose_name_plural = _("waiting parties")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="waiting_party_named"),
            models.CheckConstraint(condition=Q(party_size__gte=1), name="waiting_party_size"),
            models.CheckConstraint(
                condition=~Q(state=PartyState.TOLD) | Q(told_at__isnull=False),
                name="waiting_party_told",
            ),
            models.UniqueConstraint(
                fields=["space", "request_key"], name="waiting_party_request_key_once"
            ),
        ]
        indexes = [
            models.Index(fields=["space", "created_at"], name="waiting_party_of_an_evening"),
            # What a worker looks after: few rows, however many evenings there were.
            models.Index(
                fields=["created_at"],
                name="waiting_party_open",
                condition=Q(state__in=ON_THE_LIST),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on_the_list(self) -> bool:
        return self.state in ON_THE_LIST


class WaitingNews(models.Model):
    """Something that a party has to be told, by mail and on the phone. The outbox of the list.

    A sender pushes `..._due_at` back first, so that nobody else sends it. None: sent, or nothing
    to send.
    """

    class Kind(models.TextChoices):
        ADDED = "ADDED", _("on the list")
        READY = "READY", _("a table is ready")
        MISSED = "MISSED", _("somebody else was quicker")

    party = models.ForeignKey(WaitingParty, on_delete=models.CASCADE, related_name="news")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    created_at = models.DateTimeField()
    mail_due_at = models.DateTimeField(null=True)
    text_due_at = models.DateTimeField(null=True)
    request_id = RequestField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["mail_due_at"],
                name="waiting_news_to_mail",
                condition=Q(mail_due_at__isnull=False),
            ),
            models.Index(
                fields=["text_due_at"],
                name="waiting_news_to_text",
                condition=Q(text_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.kind}"
