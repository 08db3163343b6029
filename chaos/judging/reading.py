"""Whether boards and lists showed members their own bookings, all of them, and nobody else's."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from chaos.history import Act
from chaos.judging.holds import Hold, sure_at
from chaos.judging.run import READING, Run, brief, instant

AS_OF = re.compile(r"\bas of\b(?: (\d{4}-\S+))?", re.IGNORECASE)


def misread(run: Run, holds: Iterable[Hold]) -> Iterator[str]:
    """Find what was shown to the wrong person, or too late, or was missing."""
    of_member: dict[str | None, list[Hold]] = defaultdict(list)
    of_code: dict[str, list[Hold]] = defaultdict(list)
    for hold in holds:
        of_member[hold.member].append(hold)
        of_code[hold.code].append(hold)
    for act in run.acts:
        if act.kind not in READING or not act.told:
            continue
        yield from _foreign(run, act)
        if act.kind == "board" and (period := shown_at(act)):
            yield from _gone(act, *period, of_code)
            yield from _missing(run, act, *period, of_member[act.member])


def shown_at(act: Act) -> tuple[float, float] | None:
    """Return between which moments the answer was true; None if that isn't known.

    A board that is read from a replica says how old it is, and is held to that.
    """
    last = max(act.tries, key=lambda each: each.ended)
    old = AS_OF.search(act.text)
    if not old:
        return last.at, last.ended
    if not old[1]:
        return None
    at = datetime.fromisoformat(old[1]).timestamp()
    return min(at, last.at), last.ended


def _foreign(run: Run, act: Act) -> Iterator[str]:
    for code in act.own:
        row = run.by_code.get(code.lower())
        if row is None:
            yield f"shown {code}, which isn't there: {brief(act)}"
        elif row.login != act.member:
            yield f"shown {code} as their own, which is {row.login}'s: {brief(act)}"


def _gone(act: Act, since: float, until: float, of_code: dict[str, list[Hold]]) -> Iterator[str]:
    for code in act.own:
        theirs = of_code.get(code.lower(), [])
        if theirs and all(hold.until < since or hold.since > until for hold in theirs):
            yield f"shown {code}, which had been cancelled: {brief(act)}"


def _missing(
    run: Run, act: Act, since: float, until: float, theirs: Iterable[Hold]
) -> Iterator[str]:
    starts_at, ends_at = instant(act.starts_at), instant(act.ends_at)
    here = run.tables.places.get(act.place)
    if not (here and starts_at and ends_at):
        return
    shown = {code.lower() for code in act.own}
    for hold in sure_at(theirs, since, until):
        place = run.tables.places.get(hold.place)
        is_here = place is not None and place.space == here.space
        is_then = hold.starts_at < ends_at and hold.ends_at > starts_at
        if is_here and is_then and hold.code not in shown:
            yield f"not shown {hold}: {brief(act)}"
