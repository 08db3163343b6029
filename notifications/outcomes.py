"""How an attempt at delivery ended: what each channel tells the relay."""

from dataclasses import dataclass, field
from datetime import timedelta

from notifications.models import Attempt


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One attempt. `attempt`, unsaved, is its record for people, if the channel keeps one."""

    attempt: Attempt | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Delivered(Outcome):
    """The listener has acknowledged it."""


@dataclass(frozen=True)
class Skipped(Outcome):
    """There is nobody to tell, or nothing left to say: `reason`, in English, for the staff."""

    reason: str


@dataclass(frozen=True)
class Again(Outcome):
    """It may work later; the listener may say how much later at least."""

    error: str
    after: timedelta = timedelta(0)
    #: The listener is down: that isn't this delivery's fault, so it never gives up.
    is_down: bool = False


@dataclass(frozen=True)
class Refused(Outcome):
    """It will never work: a dead letter at once."""

    error: str
