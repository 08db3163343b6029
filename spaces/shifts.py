"""How a house seats its guests: for how long, in which shifts, how many in a quarter hour.

The values that decide are in `spaces.seating`.
"""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.letters import NameField
from spaces.slots import clock
from spaces.validators import validate_quarter_hour, validate_weekdays

#: Every weekday, Monday first, as `Shift.weekdays` stores them.
EVERY_DAY = "0123456"


class Seats(models.Model):
    """What the house looks at, besides its size, when it chooses a place for a party."""

    # The database defaults let a process of the previous release still add places. No positive
    # integers: their checks would be verified while nobody can use the table.
    min_party = models.SmallIntegerField(
        _("at least this many people"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("Keeps it for larger parties; the staff may seat fewer."),
    )
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        db_default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Of several that suit a party as well, the house chooses the highest."),
    )
    area = models.CharField(
        _("area"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("Such as “Terrace”; guests may wish for it."),
    )

    class Meta:
        abstract = True


class TurnTime(models.Model):
    """How long a party keeps its table when nobody says otherwise: from so many people on."""

    space = models.ForeignKey(
        "spaces.Space",
        on_delete=models.CASCADE,
        related_name="turn_times",
        verbose_name=_("space"),
    )
    from_party = models.PositiveSmallIntegerField(
        _("from this many people"),
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("Up to the next line: 1, 3 and 5 make 1–2, 3–4, and 5 or more."),
    )
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), validators=[MinValueValidator(15), MaxValueValidator(1_440)]
    )

    class Meta:
        verbose_name = _("turn time")
        verbose_name_plural = _("turn times")
        constraints = [
            models.UniqueConstraint(fields=["space", "from_party"], name="turn_time_once"),
            models.CheckConstraint(
                condition=Q(minutes__gte=15, from_party__gte=1), name="turn_time_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_party}+: {self.minutes}"

    def clean(self) -> None:
        if self.minutes and self.minutes % 15:
            raise ValidationError({"minutes": _("A turn is a multiple of 15 minutes.")})


class Shift(models.Model):
    """When the house seats guests on some weekdays, and how many at a time. Local times."""

    space = models.ForeignKey(
        "spaces.Space", on_delete=models.CASCADE, related_name="shifts", verbose_name=_("space")
    )
    name = NameField(_("name"), max_length=40, help_text=_("Such as “Dinner”."))
    weekdays = models.CharField(
        _("weekdays"), max_length=7, default=EVERY_DAY, validators=[validate_weekdays]
    )
    first_seating = models.TimeField(_("first seating"), validators=[validate_quarter_hour])
    last_seating = models.TimeField(
        _("last seating"),
        validators=[validate_quarter_hour],
        help_text=_("The latest start. Earlier than the first: in the night after."),
    )
    covers_online = models.PositiveSmallIntegerField(
        pgettext_lazy("pacing", "people per 15 minutes, online"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(1000)],
        help_text=_("How many may begin in a quarter hour. Empty: any number."),
    )
    covers_in_house = models.PositiveSmallIntegerField(
        pgettext_lazy("pacing", "people per 15 minutes, by the staff"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(1000)],
        help_text=_("By phone and without a booking; counted apart. Empty: any number."),
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = pgettext_lazy("of a restaurant", "shift")
        verbose_name_plural = pgettext_lazy("of a restaurant", "shifts")
        constraints = [
            models.UniqueConstraint(fields=["space", "name"], name="shift_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {clock(self.first_seating)}–{clock(self.last_seating)}"
