"""Whether the events tell what happened, and every listener heard all of them in order."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from chaos.checker import OCCUPYING
from chaos.history import Heard
from chaos.judging.run import Run
from chaos.judging.tables import Endpoint, Event

#: The states that a booking may be in after each; see "States" in the design.
NEXT = {
    "CREATED": {"CHECKING_AVAILABILITY", "CONFIRMED", "AWAITING_APPROVAL", "OFFERED", "REJECTED"},
    "AWAITING_APPROVAL": {"CONFIRMED", "REJECTED", "CANCELLED"},
    "OFFERED": {"CONFIRMED", "CANCELLED", "EXPIRED"},
    "CONFIRMED": {"CHECKED_IN", "COMPLETED", "NO_SHOW", "CANCELLED"},
    "CHECKED_IN": {"COMPLETED"},
}
NEXT["CHECKING_AVAILABILITY"] = NEXT["CREATED"]  # claimed again, if a worker was lost
FIRST = {"CREATED", "CONFIRMED", "REJECTED", "AWAITING_APPROVAL", "OFFERED"}
#: What changes no state.
STAYING = {"MOVED", "AMENDED", "KEPT", "EXTENDED"}
#: Where a booking returns to when the last thing that was done to it is undone.
UNDOING = {
    "OFFERED": {"OFFERED"},
    "CONFIRMED": {"CONFIRMED"},
    "CHECKED_IN": {"CONFIRMED", "CHECKED_IN"},
    "COMPLETED": {"CONFIRMED", "CHECKED_IN"},
    "NO_SHOW": {"CONFIRMED"},
    "CANCELLED": {"CONFIRMED", "AWAITING_APPROVAL"},
}


def contradicted(run: Run) -> Iterator[str]:
    """Find bookings whose events have gaps, can't follow each other, or end elsewhere."""
    known = {row.booking.id for row in run.tables.rows}
    for booking, events in run.tables.events.items():
        if booking not in known:
            yield f"events of no booking: {events}"
    for row in run.tables.rows:
        story, events = run.stories[row.code], run.tables.events.get(row.booking.id, [])
        numbers = [event.sequence for event in events]
        if not events or numbers != list(range(1, len(events) + 1)):
            yield f"events numbered {numbers}: {story}"
            continue
        told = [event.kind for event in events]
        if events[0].state not in FIRST or not all(map(_may_follow, events, events[1:])):
            yield f"events that can't follow each other, {told}: {story}"
        last, booking_row = events[-1], row.booking
        place = run.tables.places.get(booking_row.place)
        left = (booking_row.state, place and place.code, booking_row.starts_at, booking_row.ends_at)
        if (last.state, last.place, last.starts_at, last.ends_at) != left:
            yield f"the last event says {last}: {story}"
        asked = sum(len(act.tries) for act in story.amended)
        if story.made and told.count("MOVED") > asked:
            yield f"moved {told.count('MOVED')} times, asked for {asked} times: {story}"


def _may_follow(one: Event, other: Event) -> bool:
    if other.kind in STAYING:
        return one.state == other.state and one.state in OCCUPYING
    if other.kind == "UNDONE":
        return other.state in UNDOING.get(one.state, ())
    if other.kind == "FORGIVEN":
        return one.state == other.state == "NO_SHOW"
    if other.kind == "SEATED":
        return other.state == "CHECKED_IN" and one.state in {"CONFIRMED", "CHECKED_IN"}
    return other.state == other.kind and other.state in NEXT.get(one.state, ())


def unheard(run: Run) -> Iterator[str]:
    """Find events that a listener should have heard, or heard too early, or that never were."""
    by_listener: dict[str, list[Heard]] = defaultdict(list)
    for each in run.heard:
        by_listener[each.listener].append(each)
    named = {endpoint.name: endpoint for endpoint in run.tables.endpoints}
    for name in by_listener.keys() - named.keys():
        yield f"{name} heard something, but is no listener"
    for name, endpoint in named.items():
        heard = by_listener.get(name, [])
        yield from _false(run, name, heard)
        yield from _disordered(name, heard)
        if heard or _is_there(endpoint):
            yield from _missed(run, endpoint, {(e.booking.lower(), e.sequence) for e in heard})


def _is_there(endpoint: Endpoint) -> bool:
    """Tell whether somebody listens who hasn't been heard of."""
    if endpoint.name == "mail":
        return False  # it may be printed on the worker's console
    if endpoint.name == "kafka":
        return endpoint.was_sent  # there may be no broker
    return endpoint.is_active


def _false(run: Run, name: str, heard: list[Heard]) -> Iterator[str]:
    for each in heard:
        row = run.by_code.get(each.booking.lower())
        events = run.tables.events.get(row.booking.id, []) if row else []
        kinds = [event.kind for event in events if event.sequence == each.sequence]
        if not kinds:
            yield f"{name} heard what never was: {each}"
        elif name != "mail" and each.type.rpartition(".")[2].upper() != kinds[0]:
            yield f"{name} heard of {kinds[0]} as {each.type}: {each}"


def _disordered(name: str, heard: list[Heard]) -> Iterator[str]:
    """Compare when each event was heard for the first time; later repetitions are allowed."""
    firsts: dict[str, dict[int, float]] = defaultdict(dict)
    for each in heard:
        at = firsts[each.booking].get(each.sequence, each.at)
        firsts[each.booking][each.sequence] = min(at, each.at)
    for booking, times in firsts.items():
        order = [sequence for sequence, _ in sorted(times.items(), key=lambda item: item[::-1])]
        for one, other in pairwise(order):
            if one > other:
                yield f"{name} heard event {one} of {booking} before {other}"


def _missed(run: Run, endpoint: Endpoint, heard: set[tuple[str, int]]) -> Iterator[str]:
    for row in run.tables.rows:
        place = run.tables.places.get(row.booking.place)
        if endpoint.space is not None and (place is None or place.space != endpoint.space):
            continue
        for event in run.tables.events.get(row.booking.id, []):
            is_wanted = not endpoint.kinds or event.kind in endpoint.kinds
            if not is_wanted or event.at < endpoint.since:
                continue
            state = run.tables.deliveries.get((endpoint.id, event.id), "not even queued")
            # No mail says what a later one has said already, or what was shown at once.
            is_needless = endpoint.name == "mail" and (state == "SKIPPED" or row.login is None)
            if (row.code, event.sequence) not in heard and not is_needless:
                yield f"{endpoint.name} missed {event.kind} {event.sequence} of {row.code}: {state}"


def repeated(run: Run) -> int:
    """Count events that a listener had heard before: at least once may be twice."""
    return len(run.heard) - len({(e.listener, e.booking, e.sequence) for e in run.heard})
