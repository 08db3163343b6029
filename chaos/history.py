"""What happened in a run, one JSON object a line.

A line is written as soon as it has happened, so that a run that is killed keeps its history.

Times are seconds since 1970, as time.time() gives them, unless they say otherwise.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Try:
    """One HTTP request and its answer."""

    at: float
    took: float  # until the answer was read, or until nobody waited any longer
    status: int  # of HTTP; 0 if no answer came
    error: str = ""  # what happened instead of an answer

    @property
    def ended(self) -> float:
        return self.at + self.took

    @property
    def is_clear(self) -> bool:
        """Tell whether the answer says what was done; after an error anything may have been."""
        return 0 < self.status < 500


@dataclass(frozen=True)
class Act:
    """What a member wanted once, asked again with the same key until there was an answer."""

    member: str  # username
    kind: str  # book, queue, amend, cancel, board, search, history
    door: str  # page, api
    tries: list[Try]
    told: str  # a booking's state; REFUSED; READ; or "" if no answer came in the end
    key: str = ""  # of the request
    code: str = ""  # of the booking that the answer is about
    place: int = 0  # the id that was asked for; of a board: any place of its space
    starts_at: str = ""  # ISO 8601, with its offset; of a board: what it shows of the day
    ends_at: str = ""
    own: list[str] = field(default_factory=list)  # codes that a board or list called the reader's
    #: What else the answer said, for people; but the judge looks for the codes of problems, such as
    #: slot_taken, and for "as of 2026-11-30T12:03:00+00:00" of a board that says how old it is.
    text: str = ""

    @property
    def began(self) -> float:
        return min(each.at for each in self.tries)

    @property
    def ended(self) -> float:
        """When the answer was there; never, if none came."""
        return max(each.ended for each in self.tries) if self.told else inf


@dataclass(frozen=True)
class Heard:
    """An event as a listener got it; one that comes twice is there twice."""

    listener: str  # a webhook's name, which its address ends with; or kafka
    at: float
    event: str  # its UUID
    booking: str  # its code
    type: str
    sequence: int  # counts up per booking, without a gap


@dataclass(frozen=True)
class Fault:
    """What was broken, and when everything was as it should be again."""

    kind: str  # as `python -m chaos --help` lists them
    target: str  # web1, postgres2, machine3 …
    began: float
    ended: float  # when the cause was lifted; for a killed process: when it was killed
    recovered: float  # when every node was well again, by its own word
    text: str = ""


KINDS = {kind.__name__: kind for kind in (Act, Heard, Fault)}


class Writer:
    """Append to a history, from several threads."""

    def __init__(self, path: Path) -> None:
        self._file, self._lock = path.open("a", encoding="utf-8"), Lock()

    def write(self, what: Act | Heard | Fault) -> None:
        line = json.dumps({"what": type(what).__name__, **asdict(what)}, ensure_ascii=False)
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Any]:
    """Yield the acts, events and faults of a history, in the order in which they were written."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                return  # killed while it wrote
            values = json.loads(line)
            kind = KINDS[values.pop("what")]
            if kind is Act:
                values["tries"] = [Try(**each) for each in values["tries"]]
            yield kind(**values)
