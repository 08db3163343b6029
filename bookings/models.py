"""The heart: who has which place when, and everything that happened to it."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q, Value
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import NameField
from bookings.doors import DoorView as DoorView  # Django looks for models here
from bookings.guests import Guest
from bookings.querysets import LONGEST_HELD, BookingQuerySet, EventQuerySet
from bookings.refusals import RefusalCount as RefusalCount
from bookings.states import COMPLETED_BY_TIME, OCCUPYING, UNDECIDED, State
from bookings.waiting import WaitingNews as WaitingNews
from bookings.waiting import WaitingParty as WaitingParty
from spaces.codes import new_code
from spaces.models import Place
from spaces.slots import Period

QUARTERS = (0, 15, 30, 45)


class Booking(models.Model):
    """One member (or guest), one place, `[starts_at, ends_at)` on the 15-minute grid."""

    class Channel(models.TextChoices):
        PAGE = "PAGE", _("page")
        API = "API", pgettext_lazy("how it was booked", "API")
        STAFF = "STAFF", _("by the staff")
        WALK_IN = "WALK_IN", _("walk-in")
        GUEST = "GUEST", _("page for guests")
        IMPORT = "IMPORT", _("import")

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="bookings",
        verbose_name=_("member"),
        db_index=False,  # other indexes start with it
    )
    guest_name = NameField(_("guest"), max_length=150, blank=True)
    guest_contact = models.CharField(_("guest’s contact"), max_length=150, blank=True)
    # The same person in other bookings of the space, if somebody has recognised them.
    guest = models.ForeignKey(
        Guest,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="bookings",
        verbose_name=_("known guest"),
        db_index=False,  # a partial index starts with it
    )
    # The database default lets a process of the previous release insert rows while both run.
    channel = models.CharField(
        _("booked by way of"),
        max_length=7,
        choices=Channel.choices,
        default=Channel.PAGE,
        db_default=Channel.PAGE,
    )
    place = models.ForeignKey(
        Place,
        on_delete=models.PROTECT,
        related_name="bookings",
        verbose_name=_("place"),
        db_index=False,  # other indexes start with it
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    party_size = models.PositiveSmallIntegerField(pgettext_lazy("how many", "people"), default=1)
    state = models.CharField(
        _("state"), max_length=21, choices=State.choices, default=State.CREATED
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    request_key = models.CharField(max_length=200, null=True, editable=False)  # noqa: DJ001 - many without
    created_at = models.DateTimeField(_("received"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    # Codes from `bookings.deciding.rules.REASONS`: why it was not booked. The database default
    # lets a process of the previous release insert rows while both run.
    problems = models.JSONField(
        _("why not"), default=list, db_default=Value([], models.JSONField()), editable=False
    )
    # Who came, and who sits at a table already. Kept when it is over.
    checked_in_at = models.DateTimeField(_("arrived"), null=True, editable=False)
    seated_at = models.DateTimeField(_("seated"), null=True, editable=False)
    # This no-show doesn't count: the staff have forgiven it.
    forgiven_at = models.DateTimeField(_("forgiven"), null=True, editable=False)
    # Until when the place is kept for whoever says yes first; afterwards a worker gives it back.
    hold_expires_at = models.DateTimeField(_("held until"), null=True, editable=False)
    # Until then only the claimer may decide it; afterwards anyone may.
    # See `bookings.deciding.queueing`.
    lease_expires_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["Booking"]] = BookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="booking_period"),
            models.CheckConstraint(condition=Q(party_size__gte=1), name="booking_party"),
            models.CheckConstraint(
                condition=Q(member__isnull=False) | ~Q(guest_name=""), name="booking_for_someone"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__minute__in=QUARTERS, starts_at__second=0),
                name="booking_starts_on_grid",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__minute__in=QUARTERS, ends_at__second=0),
                name="booking_ends_on_grid",
            ),
            # So that a search for what overlaps a day may begin two days before it.
            models.CheckConstraint(
                condition=~Q(state__in=sorted(OCCUPYING))
                | Q(ends_at__lte=F("starts_at") + LONGEST_HELD),
                name="booking_held_briefly",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNDECIDED) | Q(decided_at__isnull=False),
                name="booking_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.CHECKED_IN) | Q(checked_in_at__isnull=False),
                name="booking_checked_in",
            ),
            models.CheckConstraint(
                condition=Q(seated_at__isnull=True) | Q(checked_in_at__isnull=False),
                name="booking_seated",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.OFFERED) | Q(hold_expires_at__isnull=False),
                name="booking_hold_ends",
            ),
            # Idempotency: one request makes one booking, however often it is sent.
            models.UniqueConstraint(
                fields=["member", "request_key"], name="booking_request_key_once"
            ),
            models.UniqueConstraint(
                fields=["request_key"],
                condition=Q(member__isnull=True),
                name="booking_guest_request_key_once",
            ),
        ]
        indexes = [
            # What a worker completes. With other states in it, planners would also take it for
            # upcoming bookings of one member, and read those of all.
            models.Index(
                fields=["ends_at"],
                name="booking_to_complete",
                condition=Q(state__in=sorted(COMPLETED_BY_TIME)),
            ),
            # What a worker releases when nobody checks in.
            models.Index(
                fields=["starts_at"],
                name="booking_to_release",
                condition=Q(state=State.CONFIRMED),
            ),
            # What a worker gives back when nobody says yes: as many rows as parties were told.
            models.Index(
                fields=["hold_expires_at"],
                name="booking_held",
                condition=Q(state=State.OFFERED),
            ),
            # The staff's list of no-shows: few rows, whatever else was booked in that time.
            models.Index(
                fields=["place", "-starts_at"],
                name="booking_missed",
                condition=Q(state=State.NO_SHOW),
            ),
            # A board's day: no row of another day, of history or of another space is read.
            models.Index(
                fields=["place", "starts_at", "ends_at"],
                name="booking_of_a_day",
                condition=Q(state__in=sorted(OCCUPYING)),
            ),
            models.Index(
                fields=["place", "id"],
                name="booking_undecided",
                condition=Q(state__in=UNDECIDED),
            ),
            models.Index(fields=["member", "-starts_at"], name="booking_by_member"),
            # A member's newest request, and the API's list.
            models.Index(fields=["member", "-id"], name="booking_newest_of_member"),
            models.Index(fields=["place", "-starts_at"], name="booking_by_place"),
            models.Index(
                fields=["guest", "-starts_at"],
                name="booking_by_guest",
                condition=Q(guest__isnull=False),
            ),
            # Lists of all spaces, and reminders.
            models.Index(fields=["-starts_at", "-id"], name="booking_by_start"),
        ]

    def __str__(self) -> str:
        return str(self.code)

    def get_absolute_url(self) -> str:
        return reverse("booking", args=[self.code])

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)

    @property
    def occupies(self) -> bool:
        return self.state in OCCUPYING

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def can_be_mailed(self) -> bool:
        """It is a member's, or a guest's who left an e-mail address."""
        return self.member_id is not None or "@" in self.guest_contact

    def is_upcoming(self, now: datetime) -> bool:
        return self.occupies and self.ends_at > now

    def has_started(self, now: datetime) -> bool:
        return self.starts_at <= now


class BookedSlot(models.Model):
    """This place is taken for this quarter hour. The constraint is the product's whole promise."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="booked_slots")
    place = models.ForeignKey(
        Place,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # the constraint's index starts with it
    )
    slot = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "slot"], name="booked_slot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.place_id} {self.slot:%Y-%m-%d %H:%M}"


class BookingEvent(models.Model):
    """What happened to a booking: its history, the audit log and the outbox in one. Append-only."""

    class Kind(models.TextChoices):
        CREATED = "CREATED", pgettext_lazy("what happened", "received")
        CHECKING_AVAILABILITY = "CHECKING_AVAILABILITY", _("being checked")
        OFFERED = "OFFERED", pgettext_lazy("what happened to it", "offered")
        CONFIRMED = "CONFIRMED", _("booked")
        REJECTED = "REJECTED", _("not booked")
        MOVED = "MOVED", _("moved")
        AMENDED = "AMENDED", pgettext_lazy("what happened to it", "details changed")
        KEPT = "KEPT", _("kept")
        CHECKED_IN = "CHECKED_IN", _("arrived")
        SEATED = "SEATED", _("seated")
        EXTENDED = "EXTENDED", pgettext_lazy("what happened to it", "extended")
        NO_SHOW = "NO_SHOW", _("did not come")
        FORGIVEN = "FORGIVEN", pgettext_lazy("what happened to it", "forgiven")
        UNDONE = "UNDONE", pgettext_lazy("what happened to it", "undone")
        CANCELLED = "CANCELLED", _("cancelled")
        EXPIRED = "EXPIRED", pgettext_lazy("what happened", "not taken")
        COMPLETED = "COMPLETED", _("completed")

    booking = models.ForeignKey(
        Booking,
        on_delete=models.PROTECT,
        related_name="events",
        db_index=False,  # the constraint's index starts with it
    )
    sequence = models.PositiveIntegerField()
    kind = models.CharField(_("what"), max_length=21, choices=Kind.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("by"),
        db_index=False,  # nobody looks for what a person did
    )
    # The guest whom the booking is for did it, who has no account: then there is no actor.
    # The database default lets a process of the previous release insert rows while both run.
    by_guest = models.BooleanField(default=False, db_default=False, editable=False)
    at = models.DateTimeField(_("when"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    data = models.JSONField(encoder=DjangoJSONEncoder)
    # What a guest's name and contact were, if this changed them. Not in `data`, which goes out to
    # programs and names nobody: for the staff alone, and erased with the guest.
    contact_before = models.JSONField(
        default=dict, db_default=Value({}, models.JSONField()), editable=False
    )
    # Which request did it, and its trace: for readers of the logs, and for the listeners' headers.
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    traceparent = models.CharField(
        max_length=55, blank=True, default="", db_default="", editable=False
    )
    # Assigned after the commit, by `bookings.deciding.log`; keys are assigned before it, and appear
    # out of order.
    position = models.PositiveBigIntegerField(null=True, unique=True, editable=False)

    objects: ClassVar[models.Manager["BookingEvent"]] = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["booking", "sequence"], name="booking_event_sequence"),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="booking_event_unplaced", condition=Q(position__isnull=True)
            ),
            models.Index(fields=["at"], name="booking_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"
