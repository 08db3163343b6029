"""How a try to deliver ended: what each channel tells the relay."""

from dataclasses import dataclass, field
from datetime import timedelta

from notifications.models import Attempt


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One try. `attempt`, unsaved, is its record for people, where the channel keeps one."""

    attempt: Attempt | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Delivered(Outcome):
    """The listener has said that it has it."""


@dataclass(frozen=True)
class Skipped(Outcome):
    """There is nobody to tell, or nothing to say any more: `reason`, in English, for the staff."""

    reason: str


@dataclass(frozen=True)
class Again(Outcome):
    """It may go better later; the listener itself may say how much later at least."""

    error: str
    after: timedelta = timedelta(0)
    #: The listener is not there at all: that is not this delivery's fault, so it never gives up.
    is_down: bool = False


@dataclass(frozen=True)
class Refused(Outcome):
    """It will never go better: a dead letter at once."""

    error: str
