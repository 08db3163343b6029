"""Parses the board's URL into a search: `?date&from&to&party&kind&feature&sort&place`."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.numbers import read_whole
from bookings.finding.board import usual_period
from bookings.finding.search import Search
from bookings.forms import MOST_PEOPLE, SearchForm
from bookings.words import words
from bookings.words.local_time import LocalTimeError, read_day, read_end, read_instant, write_clock
from spaces.limits import Limits
from spaces.slots import Period, merge
from spaces.venue import Venue


def read(
    data: QueryDict,
    *,
    venue: Venue,
    limits: Limits,
    now: datetime,
    kind: str = "",
    areas: Sequence[str] = (),
    kinds: Sequence[str] = (),
) -> tuple[Search, SearchForm]:
    """Return the search, and a form that shows it and its errors.

    Anything left out gets its default: the next time that can be booked, for one person. Where the
    house says how long a party stays, that is the default for the end.
    """
    party = _party(data.get("party", ""))
    errors: list[tuple[str | None, str]] = []
    try:
        asked = data.get("date", "")
        day = read_day(asked) if asked else first_day(venue, limits, now)
    except LocalTimeError as error:
        errors.append(("date", str(error)))
        day = venue.today(now)
    usual = usual_period(venue, limits, day, now, kind=kind, party_size=party)
    try:
        period = _period(data.get("from", ""), data.get("to", ""), day, venue, limits, usual)
    except EndsBeforeStart as error:
        errors.append(("to", str(error)))
        period = None
    except LocalTimeError as error:
        errors.append((None, str(error)))
        period = None
    by_turn = bool(venue.turns) and not data.get("to")
    if by_turn and period is not None:
        turn = venue.turn(kind, period.starts_at, party) or period.duration
        period = Period(period.starts_at, period.starts_at + turn)
    complete = data.copy()
    complete["date"] = str(day)
    for name, default in (("party", "1"), ("sort", "fit")):
        complete[name] = data.get(name) or default
    if period is not None:
        complete["from"] = write_clock(period.starts_at, venue.zone)
        complete["to"] = "" if by_turn else write_clock(period.ends_at, venue.zone)
    times = _choices(venue, limits, day, complete)
    if venue.turns:
        until = f" ({words.clock(period.ends_at, venue.zone)})" if by_turn and period else ""
        times["to"].insert(0, ("", _("as usual") + until))
    form = SearchForm(complete, times=times, areas=areas, kinds=kinds)
    form.is_valid()
    for field, message in errors:
        form.add_error(field, message)
    found = form.cleaned_data
    search = Search(
        day=day,
        period=period,
        party_size=found.get("party") or 1,
        features=tuple(found.get("feature", ())),
        place=found.get("place"),
        by_number=found.get("sort") == "number",
        by_turn=by_turn,
        area=found.get("area", ""),
        kind=found.get("kind", ""),
    )
    return search, form


def _party(text: str) -> int:
    """Return how many people come, for a default; what is wrong with it the form says."""
    try:
        return max(1, min(read_whole(text), MOST_PEOPLE))
    except ValueError:
        return 1


class EndsBeforeStart(LocalTimeError):
    """Two times on one day, the second of which is earlier."""


def first_day(venue: Venue, limits: Limits, now: datetime) -> date:
    """Return today, or the next day within a week that has anything left to book."""
    days = [venue.today(now) + timedelta(days=n) for n in range(8)]
    return next((day for day in days if usual_period(venue, limits, day, now)), days[0])


def _period(
    start: str, end: str, day: date, venue: Venue, limits: Limits, usual: Period | None
) -> Period | None:
    if not start and not end:
        return usual
    if start:
        starts_at = on_the_day(start, day, venue)
    elif usual is not None:
        starts_at = usual.starts_at
    else:
        return None
    if not end:
        return Period(starts_at, starts_at + (usual.duration if usual else limits.shortest))
    ends_at = read_end(starts_at, end, venue.zone)
    if is_backwards(venue, day, Period(starts_at, ends_at), end):
        raise EndsBeforeStart(_("The end is before the start."))
    return Period(starts_at, ends_at)


def is_backwards(venue: Venue, day: date, period: Period, end: str) -> bool:
    """Tell whether the end was meant for the day of the start, not for the following night.

    If the space is open then, the night may have been meant; if it closes in the evening, not.
    """
    midnight = venue.calendar_day(period.starts_at.astimezone(venue.zone).date()).ends_at
    if period.ends_at <= midnight:
        return False
    if any(opening.contains(period) for opening in merge(venue.openings_around(period))):
        return False
    if not any(time(0) < hours.closes_at <= hours.opens_at for hours in venue.hours):
        return True
    try:
        same_day = read_instant(f"{day}T{end}", venue.zone)
    except LocalTimeError:
        return False
    return any(opening.starts_at <= same_day <= opening.ends_at for opening in venue.openings(day))


def on_the_day(clock: str, day: date, venue: Venue) -> datetime:
    """Parse a clock time within one day's opening hours: 1:00 is that night if it is open then."""
    try:
        later = read_instant(f"{day + timedelta(days=1)}T{clock}", venue.zone)
    except LocalTimeError:
        at = read_instant(f"{day}T{clock}", venue.zone)
        if any(opening.starts_at <= at < opening.ends_at for opening in venue.openings(day)):
            return at  # only the following night lacks such a time
        raise
    if venue.day_of(later) == day:
        return later
    return read_instant(f"{day}T{clock}", venue.zone)


def _choices(
    venue: Venue, limits: Limits, day: date, complete: QueryDict
) -> dict[str, list[tuple[str, str]]]:
    """Return the day's steps to start and to end at, plus whatever else was asked for.

    Ends before the start as well: without scripts both are chosen before the page is loaded again.
    """
    zone = venue.zone
    starts = venue.starts(day, limits.step)
    ends = [at + limits.step for at in venue.steps(day, limits.step) if starts and at >= starts[0]]
    clocks = [write_clock(at, zone) for at in starts]
    choices = {
        "from": [(clock, words.clock(at, zone)) for at, clock in zip(starts, clocks, strict=True)],
        "to": [(write_clock(at, zone), words.clock(at, zone)) for at in ends],
    }
    for name, offered in choices.items():
        asked = complete.get(name, "")
        if asked and asked not in dict(offered):
            offered.insert(0, (asked, asked))
    return choices
