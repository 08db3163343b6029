"""The part of a policy about whom it binds, and how much each of them may have."""

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.joining import Tier
from spaces.attendance import A_DAY, AttendanceLimits

#: Together they would bind whoever is in both, which nobody means.
ONE_AUDIENCE = models.CheckConstraint(
    condition=Q(group__isnull=True) | Q(tier__isnull=True), name="policy_one_audience"
)

#: What is counted over a member's bookings, and so for all shifts together.
COUNTED = {
    "max_upcoming": _("Upcoming bookings are counted for all shifts together."),
    "max_minutes_per_day": _("The hours of a day are counted for all shifts together."),
    "max_no_shows": _("No-shows are counted for all shifts together."),
}


class MemberLimits(AttendanceLimits):
    """Columns of `Policy`. It binds everybody, or a group of the site, or a tier of the space."""

    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("group of members"),
        help_text=_("Empty: everyone."),
    )
    tier = models.ForeignKey(
        Tier,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("tier of members"),
        db_index=False,  # a space has few policies
        help_text=_("Empty: everyone."),
    )
    max_upcoming = models.PositiveSmallIntegerField(
        _("upcoming bookings per member, at most"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(1000)],
    )
    max_minutes_per_day = models.PositiveSmallIntegerField(
        _("minutes a day per member, at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(15), MaxValueValidator(A_DAY)],
        help_text=_("Counted by the local day, over all bookings of a member."),
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        # Fields of the model that has these columns.
        space, shift = getattr(self, "space_id", None), getattr(self, "shift", None)
        if self.tier is not None and self.tier.space_id != space:
            raise ValidationError({"tier": _("This tier is in another space.")})
        if self.tier is not None and self.group_id is not None:
            raise ValidationError({"tier": _("Choose a group or a tier, not both.")})
        if shift is None:
            return
        if shift.space_id != space:
            raise ValidationError({"shift": _("This shift is in another space.")})
        for name, message in COUNTED.items():
            if getattr(self, name) is not None:
                raise ValidationError({name: message})
