"""Where and when: spaces, their hours and closures, the places in them, and their policies."""

from functools import lru_cache
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.letters import NameField
from spaces.attendance import BOTH_OR_NONE
from spaces.codes import new_code
from spaces.features import NAMES, Feature
from spaces.querysets import PlaceQuerySet, SpaceQuerySet
from spaces.shares import ONE_AUDIENCE, MemberLimits
from spaces.shifts import Seats, Shift, TurnTime
from spaces.slots import clock
from spaces.stamps import SetupStamp
from spaces.validators import (
    validate_country,
    validate_features,
    validate_phone,
    validate_quarter_hour,
    validate_time_zone,
)
from spaces.welcome import Welcome
from spaces.yearly import YearlyClosure  # noqa: F401 - a table of this app too

#: Some have modules of their own.
__all__ = ["Closure", "OpeningHours", "Place", "Policy", "SetupStamp", "Shift", "Space", "TurnTime"]

# Sensible bounds, the same on every database and small enough for any arithmetic.
A_DAY, A_WEEK, A_YEAR = 1_440, 10_080, 525_600  # minutes


class Space(Welcome):
    """A coworking space or a restaurant."""

    class Kind(models.TextChoices):
        COWORKING = "COWORKING", _("coworking")
        RESTAURANT = "RESTAURANT", _("restaurant")

    slug = models.SlugField(_("address on the site"), unique=True)
    name = NameField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.COWORKING)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )
    # The database default is empty too: see `reminder_hours`.
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        default="",
        db_default="",
        validators=[validate_country],
        help_text=_("Two letters, such as GB. Phone numbers and holidays follow it."),
    )
    address = models.CharField(_("address"), max_length=200, blank=True)
    about = models.TextField(_("about"), blank=True)
    # The database default is empty too: see `reminder_hours`.
    phone = models.CharField(
        _("phone"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        validators=[validate_phone],
        help_text=_("Shown to members, to reach the staff: +44 20 7946 0018"),
    )
    email = models.EmailField(
        _("e-mail"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Shown to members, to reach the staff."),
    )
    is_active = models.BooleanField(
        _("shown to members"), default=True, help_text=_("Off: nobody can find or book it.")
    )
    # The database default lets a process of the previous release still add spaces.
    reminder_hours = models.PositiveSmallIntegerField(
        _("remind members, hours before"),
        null=True,
        blank=True,
        default=24,
        db_default=24,
        validators=[MinValueValidator(1), MaxValueValidator(168)],
        help_text=_("By mail. Empty: no reminders."),
    )

    objects: ClassVar[models.Manager["Space"]] = SpaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("space")
        verbose_name_plural = _("spaces")
        indexes = [
            # A page of spaces is read without sorting all.
            models.Index(fields=["name", "id"], name="space_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("board", args=[self.slug])

    @property
    def main_kind(self) -> str:
        """The kind of place whose steps the board's times follow."""
        return Place.Kind.TABLE if self.kind == Space.Kind.RESTAURANT else Place.Kind.DESK

    @property
    def contacts(self) -> list[str]:
        """How to reach the staff. See also `spaces.contact`."""
        return [contact for contact in (self.phone, self.email) if contact]

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class OpeningHours(models.Model):
    """One stretch of one weekday, in the space's local time. Several a day are allowed."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, related_name="opening_hours", verbose_name=_("space")
    )
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    opens_at = models.TimeField(_("opens"), validators=[validate_quarter_hour])
    closes_at = models.TimeField(
        _("closes"),
        validators=[validate_quarter_hour],
        help_text=_("Not later than the opening: the next day."),
    )

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="opening_hours_weekday"
            ),
            models.UniqueConstraint(
                fields=["space", "weekday", "opens_at"], name="opening_hours_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {clock(self.opens_at)}–{clock(self.closes_at)}"


class Place(Seats):
    """One thing that can be booked. One with `parts` is a composite: it takes its leaves' slots."""

    class Kind(models.TextChoices):
        DESK = "DESK", _("desk")
        ROOM = "ROOM", _("room")
        TABLE = "TABLE", _("table")

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    space = models.ForeignKey(
        Space, on_delete=models.PROTECT, related_name="places", verbose_name=_("space")
    )
    number = models.PositiveIntegerField(_("number"), validators=[MaxValueValidator(1_000_000)])
    name = NameField(
        _("name"), max_length=60, blank=True, help_text=_("Empty: the kind and the number.")
    )
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices, default=Kind.DESK)
    capacity = models.PositiveSmallIntegerField(
        pgettext_lazy("how many", "people"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    features = models.JSONField(
        _("features"), default=list, blank=True, validators=[validate_features]
    )
    plan_x = models.PositiveSmallIntegerField(
        _("across on the plan"), null=True, blank=True, validators=[MaxValueValidator(1000)]
    )
    plan_y = models.PositiveSmallIntegerField(
        _("down on the plan"), null=True, blank=True, validators=[MaxValueValidator(1000)]
    )
    is_bookable = models.BooleanField(_("can be booked"), default=True)
    parts = models.ManyToManyField(
        "self",
        symmetrical=False,
        related_name="wholes",
        blank=True,
        verbose_name=_("parts"),
        help_text=_("Places that are taken together when this one is booked."),
    )

    objects: ClassVar[models.Manager["Place"]] = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.UniqueConstraint(fields=["space", "number"], name="place_number_once"),
            models.CheckConstraint(condition=Q(capacity__gte=1), name="place_capacity"),
        ]

    def clean(self) -> None:
        if self.min_party and self.capacity and self.min_party > self.capacity:
            raise ValidationError(
                {"min_party": _("The smallest party can’t be larger than the place.")}
            )

    def __str__(self) -> str:
        return self.name or f"{_kind_name(self.kind, get_language())} {self.number}"

    @property
    def feature_labels(self) -> list[str]:
        """The place's features, in the reader's language."""
        return [str(Feature(name).label) for name in self.features if name in NAMES]


@lru_cache(maxsize=64)
def _kind_name(kind: str, language: str | None) -> str:
    """Return a kind in words, once for all the places of a board. `language` is the active one."""
    return str(Place.Kind(kind).label.capitalize())


class Closure(models.Model):
    """A period when a space, or one place in it, can't be booked."""

    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, related_name="closures", verbose_name=_("space")
    )
    place = models.ForeignKey(
        Place,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="closures",
        verbose_name=_("place"),
        help_text=_("Empty: the whole space."),
    )
    starts_at = models.DateTimeField(_("from"), validators=[validate_quarter_hour])
    ends_at = models.DateTimeField(_("to"), validators=[validate_quarter_hour])
    reason = NameField(_("reason"), max_length=200)

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="closure_period",
                violation_error_message=_("The end must be later than the start."),
            ),
        ]
        indexes = [models.Index(fields=["space", "ends_at"], name="closure_by_space")]

    def __str__(self) -> str:
        return self.reason

    def clean(self) -> None:
        if self.place_id and self.place is not None and self.place.space_id != self.space_id:
            raise ValidationError({"place": _("This place is in another space.")})


class Policy(MemberLimits):
    """Limits on bookings; an empty one limits nothing. Several may match: the strictest value wins.

    See also: `spaces.limits`, which combines them.
    """

    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, related_name="policies", verbose_name=_("space")
    )
    kind = models.CharField(
        _("kind of place"),
        max_length=5,
        choices=Place.Kind.choices,
        blank=True,
        help_text=_("Empty: every kind."),
    )
    shift = models.ForeignKey(
        Shift,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("shift"),
        db_index=False,  # a space has few policies
        help_text=_("Empty: at any time."),
    )
    step_minutes = models.PositiveSmallIntegerField(
        _("booking step, minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(15), MaxValueValidator(A_DAY)],
        help_text=_("A multiple of 15, counted from opening time. Empty: 60."),
    )
    min_minutes = models.PositiveSmallIntegerField(
        _("shortest booking, minutes"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(A_WEEK)],
    )
    max_minutes = models.PositiveSmallIntegerField(
        _("longest booking, minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(15), MaxValueValidator(A_WEEK)],
    )
    min_notice_minutes = models.PositiveIntegerField(
        _("book at least this many minutes before"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(A_YEAR)],
    )
    max_days_ahead = models.PositiveSmallIntegerField(
        _("book at most this many days ahead"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(3_660)],
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(step_minutes__isnull=True)
                | Q(step_minutes__gte=15, step_minutes__lte=1440),
                name="policy_step",
            ),
            BOTH_OR_NONE,
            ONE_AUDIENCE,
        ]

    def __str__(self) -> str:
        parts = (self.get_kind_display(), self.group, self.tier, self.shift)
        matching = [str(part) for part in parts if part]
        return " · ".join(matching) or str(_("everyone, every kind"))

    def clean(self) -> None:
        super().clean()
        if self.step_minutes and self.step_minutes % 15:
            raise ValidationError({"step_minutes": _("The step is a multiple of 15 minutes.")})
        shortest = max(self.step_minutes or 0, self.min_minutes or 0)
        if self.max_minutes is not None and self.max_minutes < shortest:
            raise ValidationError(
                {"max_minutes": _("The longest booking can’t be shorter than the shortest.")}
            )
