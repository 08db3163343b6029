"""Days that a space is closed every year."""

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.letters import NameField


class YearlyClosure(models.Model):
    """The same date every year; its closures are written some years ahead, and are what counts."""

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    space = models.ForeignKey(
        "spaces.Space",
        on_delete=models.CASCADE,
        related_name="yearly_closures",
        verbose_name=_("space"),
    )
    month = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    day = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(31)])
    days = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    reason = NameField(_("reason"), max_length=200)
    # The last year whose closure is written.
    closed_through = models.PositiveSmallIntegerField(db_index=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("yearly closure")
        verbose_name_plural = _("yearly closures")
        constraints = [
            models.UniqueConstraint(fields=["space", "month", "day"], name="yearly_closure_once"),
            models.CheckConstraint(
                condition=models.Q(month__gte=1, month__lte=12, day__gte=1, day__lte=31),
                name="yearly_closure_date",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
