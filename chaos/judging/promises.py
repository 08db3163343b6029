"""Whether what members were told is what the rows say."""

from collections.abc import Iterator

from chaos.checker import OCCUPYING
from chaos.history import Act
from chaos.judging.run import (
    CHANGING,
    MAKING,
    REFUSED,
    UNDECIDED,
    Run,
    Story,
    brief,
    instant,
    is_done,
    may_be_done,
    was_told,
)
from chaos.judging.tables import Row


def lost(run: Run) -> Iterator[str]:
    """Find acknowledged bookings that aren't there, are another's, or ended by themselves."""
    missing = set()
    for act in run.acts:
        if act.kind not in MAKING | CHANGING or not was_told(act):
            continue
        row = run.by_code.get(run.code_of(act))
        if row is None:
            if (act.member, act.code) not in missing:
                yield f"there is no such booking: {brief(act)}"
            missing.add((act.member, act.code))
        elif row.login != act.member:
            yield f"it is {row.login}'s: {brief(act)}"
        elif act.kind in MAKING and row.booking.key != act.key:
            yield f"it was made by the request {row.booking.key}: {brief(act)}"
    for story in run.stories.values():
        if (told := last_told(story)) and story.row and not _agrees(story, story.row, told, run):
            yield f"told {told}, but it is {story.row.state}: {story}"


def last_told(story: Story) -> str:
    """Return the state that holds unless somebody asked for something else since."""
    told = [act for act in [story.made, *story.changes] if act and was_told(act)]
    return max(told, key=lambda act: act.ended).told if told else ""


def _agrees(story: Story, row: Row, told: str, run: Run) -> bool:
    if told not in OCCUPYING:
        return True  # see `undecided`, `refused` and `revived`
    if row.state in OCCUPYING:
        return True
    if row.state == "CANCELLED":
        return bool(story.cancelled)
    # Its time is over. Nodes' clocks may be some minutes off.
    is_over = row.booking.ends_at.timestamp() < run.ended + 300
    return row.state in ("COMPLETED", "NO_SHOW") and is_over


def unasked(run: Run) -> Iterator[str]:
    """Find bookings that members got during the run without having asked for them."""
    asked = {(act.member, act.key) for act in run.acts if act.kind in MAKING}
    members = {act.member for act in run.acts}
    for row in run.tables.rows:
        is_theirs = row.login in members and row.created_at >= run.began
        if is_theirs and (row.login, row.booking.key) not in asked:
            yield f"nobody asked for {run.stories[row.code]}, request {row.booking.key}"


def altered(run: Run) -> Iterator[str]:
    """Find bookings that are elsewhere than the last acknowledged answer about them put them."""
    for story in run.stories.values():
        row = story.row
        if row is None:
            continue
        made = story.made
        if made and made.told != REFUSED and (wrong := _first(made, row, run)):
            yield f"{wrong}: {story}, {brief(made)}"
        allowed = _positions(story)
        if allowed and not any(_is_at(act, row) for act in allowed):
            yield f"{story} should be as in {'; or '.join(map(brief, allowed))}"


def _first(made: Act, row: Row, run: Run) -> str:
    """Compare what was asked with the first event, which remembers it whatever came later."""
    events = run.tables.events.get(row.booking.id)
    if not events or events[0].sequence != 1:
        return ""  # see `events`
    place = run.tables.places.get(made.place)
    if place and place.code != events[0].place:
        return "another place than was asked for"
    asked = instant(made.starts_at), instant(made.ends_at)
    if all(asked) and asked != (events[0].starts_at, events[0].ends_at):
        return "another time than was asked for"
    return ""


def _positions(story: Story) -> list[Act]:
    """Return the acts one of which was the last to say where the booking is.

    Nothing, if it is not known where it was in the beginning. An act no longer counts when another
    was acknowledged that began after its answer. One that was never answered always counts: it may
    have arrived at any time.
    """
    changes = story.amended
    acknowledged = [act for act in changes if is_done(act)]
    if not story.made and not acknowledged:
        return []
    every = [story.made, *changes] if story.made else changes
    return [act for act in every if not any(each.began > act.ended for each in acknowledged)]


def _is_at(act: Act, row: Row) -> bool:
    booking = row.booking
    return (
        act.place in (0, booking.place)
        and instant(act.starts_at) in (None, booking.starts_at)
        and instant(act.ends_at) in (None, booking.ends_at)
    )


def refused(run: Run) -> Iterator[str]:
    """Find what was done although somebody was told that it wasn't."""
    for act in run.acts:
        if act.kind in MAKING and act.told in (REFUSED, "REJECTED"):
            row = run.by_key.get((act.member, act.key)) or run.by_code.get(run.code_of(act))
            if row and row.state != "REJECTED":
                yield f"it is {row.state}: {brief(act)}"
        elif act.kind in CHANGING and not may_be_done(act):
            yield from _refused_change(act, run)


def _refused_change(act: Act, run: Run) -> Iterator[str]:
    story = run.stories.get(run.code_of(act))
    if story is None or story.row is None:
        return
    if act.kind == "cancel":
        if story.row.state == "CANCELLED" and not story.cancelled:
            yield f"it is cancelled: {brief(act)}"
        return
    others = [story.made, *story.amended]
    is_there = bool(act.place and act.starts_at) and _is_at(act, story.row)
    if is_there and not any(each is None or _is_at(each, story.row) for each in others):
        yield f"it was moved: {brief(act)}"


def revived(run: Run) -> Iterator[str]:
    """Find bookings that aren't cancelled although their cancellation was acknowledged."""
    for story in run.stories.values():
        acknowledged = [act for act in story.cancelled if is_done(act)]
        if acknowledged and story.row and story.row.state != "CANCELLED":
            yield f"{story}, {brief(acknowledged[0])}"


def undecided(run: Run) -> Iterator[str]:
    """Find requests that nobody has decided."""
    for row in run.tables.rows:
        if row.state in UNDECIDED:
            yield f"{run.stories[row.code]}"
