"""The numbers of a space as tables: what a page shows beneath its charts, and what a file has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bookings.deciding import rules
from bookings.finding.numbers import LEADS, Numbers, Tally
from bookings.models import Booking
from bookings.refusals import Door
from bookings.words import words

#: Text, a number, a part of a whole (0.25: a quarter), or nothing to say.
type Value = str | int | float | None

HOUR = timedelta(hours=1)

#: The names of LEADS' buckets.
AHEAD: tuple[str | Promise, ...] = (
    gettext_lazy("less than 1 hour"),
    gettext_lazy("1 to 6 hours"),
    gettext_lazy("6 to 24 hours"),
    gettext_lazy("1 to 3 days"),
    gettext_lazy("3 to 7 days"),
    gettext_lazy("1 to 2 weeks"),
    gettext_lazy("2 to 4 weeks"),
    gettext_lazy("4 weeks or more"),
)
assert len(AHEAD) == len(LEADS) + 1

BOOKINGS, PEOPLE = gettext_lazy("Bookings"), gettext_lazy("Visitors")
NO_SHOWS = gettext_lazy("No-shows")


@dataclass(frozen=True)
class Table:
    """A head, and rows of as many values; the first names the row."""

    head: list[str]
    rows: list[list[Value]] = field(default_factory=list)


def by_hour(found: Numbers) -> Table:
    """One row for each hour of each weekday, so that a spreadsheet can sort and sum it."""
    head = [_("Weekday"), _("Hour"), _("Hours booked"), _("Hours open"), _("Booked, %")]
    rows: list[list[Value]] = []
    for weekday in range(7):
        for hour in found.hours:
            if cell := found.cells.get((weekday, hour)):
                booked, opened = round(cell.booked / HOUR, 2), round(cell.open / HOUR, 2)
                name = str(words.WEEKDAYS[weekday])
                rows.append([name, f"{hour}:00", booked, opened, percent(cell.share)])
    return Table(head, rows)


def by_day(found: Numbers) -> Table:
    head = [_("Day"), *_of_tallies()]
    return Table(head, [[day.isoformat(), *_values(tally)] for day, tally in found.days.items()])


def by_channel(found: Numbers) -> Table:
    tallies = sorted(found.channels.items(), key=lambda each: (-each[1].bookings, each[0]))
    head = [_("Booked by way of"), *_of_tallies()]
    return Table(head, [[channel_name(name), *_values(tally)] for name, tally in tallies])


def _of_tallies() -> list[str]:
    names = (BOOKINGS, PEOPLE, _("Came"), NO_SHOWS, _("No-shows, %"), _("Cancelled"))
    return [str(name) for name in names]


def _values(tally: Tally) -> list[Value]:
    return [
        tally.bookings,
        tally.people,
        tally.came,
        tally.no_shows,
        percent(tally.no_show_share),
        tally.cancelled,
    ]


def by_lead(found: Numbers) -> Table:
    every = sum(found.leads)
    rows: list[list[Value]] = [
        [str(name), count, percent(count / every if every else None)]
        for name, count in zip(AHEAD, found.leads, strict=True)
    ]
    return Table([_("Booked ahead"), str(BOOKINGS), _("Part, %")], rows)


def by_refusal(found: Numbers) -> Table:
    """Return how often for each reason: in all, and at each door. The last ones aren't known."""
    doors: list[str] = [*Door]
    heads = [capfirst(str(Door(door).label)) for door in doors]
    if any(at[""] for at in found.refused.values()):
        doors, heads = [*doors, ""], [*heads, _("Not known")]
    rows: list[list[Value]] = [
        [rules.reason(code), at.total(), *(at[door] for door in doors)]
        for code, at in found.refused.items()
    ]
    return Table([_("Why not"), _("Requests"), *heads], rows)


def percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def channel_name(channel: str) -> str:
    """Return how it was booked, in words; the value itself if a later release added it."""
    known = dict(Booking.Channel.choices)
    return capfirst(str(known.get(channel, channel)))


#: By the word in a file's address.
TABLES: dict[str, Callable[[Numbers], Table]] = {
    "hours": by_hour,
    "days": by_day,
    "channels": by_channel,
    "ahead": by_lead,
    "refusals": by_refusal,
}
