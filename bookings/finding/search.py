"""What a person looks for on a board."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from spaces.slots import Period


@dataclass(frozen=True)
class Search:
    """What the person looks for; `period` is None when it can't be read."""

    day: date
    period: Period | None
    party_size: int = 1
    features: tuple[str, ...] = ()
    place: UUID | None = None  # the one that was picked on the timeline
    by_number: bool = False
