"""How a space treats people without an account: who books by themselves, or waits at the door."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Welcome(models.Model):
    """Columns of `Space`. The database defaults are for processes of the previous release."""

    guests_may_book = models.BooleanField(
        _("guests may book without an account"),
        default=False,
        db_default=False,
        help_text=_("With a name and an e-mail address or a phone number."),
    )
    guest_retention_days = models.SmallIntegerField(
        _("forget guests after, days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3_660)],
        help_text=_("Since their last booking. Empty: they are kept until somebody erases them."),
    )
    hold_minutes = models.SmallIntegerField(
        _("waiting list: minutes to answer"),
        default=10,
        db_default=10,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text=_("For so long a table is held for a party that is told it is ready."),
    )

    class Meta:
        abstract = True
