"""What a person searches for on a board."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from spaces.slots import Period


@dataclass(frozen=True)
class Search:
    """What the person searches for; `period` is None when it is invalid."""

    day: date
    period: Period | None
    party_size: int = 1
    features: tuple[str, ...] = ()
    place: UUID | None = None  # the one picked on the timeline
    by_number: bool = False
    by_turn: bool = False  # the house says how long: no end was asked for
    area: str = ""
    kind: str = ""  # of place; empty: every kind
