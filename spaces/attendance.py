"""The part of a policy about coming, cancelling in time, and doing neither."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

A_DAY, A_YEAR = 1_440, 525_600  # minutes
DAYS = 366

#: One says nothing without the other.
BOTH_OR_NONE = models.CheckConstraint(
    condition=models.Q(max_no_shows__isnull=True, no_show_days__isnull=True)
    | models.Q(max_no_shows__isnull=False, no_show_days__isnull=False),
    name="policy_no_shows",
)


class AttendanceLimits(models.Model):
    """Columns of `Policy`. Nobody has to check in unless it says when, or what is released."""

    cancel_deadline_minutes = models.PositiveIntegerField(
        _("cancel at least this many minutes before"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(A_YEAR)],
    )
    grace_minutes = models.PositiveSmallIntegerField(
        _("may be undone for this many minutes"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(A_DAY)],
        help_text=_("After booking, whatever the deadline. 0: not at all. Empty: 5."),
    )
    check_in_opens_minutes = models.PositiveSmallIntegerField(
        _("check-in opens this many minutes before"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(A_DAY)],
        help_text=_("Before the start. Empty: 15, if bookings are released."),
    )
    release_after_minutes = models.PositiveSmallIntegerField(
        _("released after this many minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(A_DAY)],
        help_text=_("After the start, if nobody has checked in. Empty: never."),
    )
    max_no_shows = models.PositiveSmallIntegerField(
        _("no-shows after which a member can’t book"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    no_show_days = models.PositiveSmallIntegerField(
        _("within this many days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(DAYS)],
        help_text=_("Older no-shows don’t count any more."),
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if (self.max_no_shows is None) != (self.no_show_days is None):
            missing = "max_no_shows" if self.max_no_shows is None else "no_show_days"
            raise ValidationError({missing: _("Give both: how many no-shows, in how many days.")})
