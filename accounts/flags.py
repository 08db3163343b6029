"""Feature flags: what changes people's habits can be switched off while the site runs.

Each is a row of django-waffle's switches, for everybody alike: see decision 0030. A process
remembers all of them for `settings.FLAG_SECONDS`: pages ask all the time.
"""

from enum import StrEnum
from time import monotonic

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from waffle.models import Switch


class Flag(StrEnum):
    """What can be switched off. A new one needs a row, by a migration; without it, it is on."""

    LIVE_BOARD = "live_board"
    RECOMMENDATIONS = "recommendations"


#: In the admin: what each is, and what people miss when it is off.
WORDS = {
    Flag.LIVE_BOARD: (
        _("Live board"),
        _("The staff’s day and waiting list show what is new by themselves, every two seconds."),
    ),
    Flag.RECOMMENDATIONS: (
        _("Recommendations"),
        _("When a place is taken or nothing is free, pages suggest what to try instead."),
    ),
}


class _Remembered:
    """Which are on, as far as this process knows, and until when it needn't look again."""

    rows: dict[str, bool]
    until: float

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.keep({}, until=0)

    def keep(self, rows: dict[str, bool], *, until: float) -> None:
        self.rows, self.until = rows, until

    def known(self) -> dict[str, bool]:
        if monotonic() >= self.until:
            rows = dict(Switch.objects.values_list("name", "active"))
            self.keep(rows, until=monotonic() + settings.FLAG_SECONDS)
        return self.rows


remembered = _Remembered()


def is_on(flag: Flag) -> bool:
    return remembered.known().get(flag, True)


class FeatureFlag(Switch):
    """A switch, in our words."""

    class Meta:
        proxy = True
        verbose_name = _("feature flag")
        verbose_name_plural = _("feature flags")

    def __str__(self) -> str:
        return str(WORDS[Flag(self.name)][0]) if self.name in WORDS else self.name

    def flush(self) -> None:
        """Let this process know at once; waffle calls it after the commit."""
        super().flush()
        remembered.forget()
