"""An oracle for opening hours: step through UTC in quarter hours and read the wall clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from spaces.slots import SLOT, Hours

#: Nights and days when clocks change, and zones off the hour.
ODD_DAYS = [
    ("Europe/Berlin", date(2026, 3, 29)),  # 2:00 -> 3:00
    ("Europe/Berlin", date(2026, 10, 25)),  # 3:00 -> 2:00
    ("Australia/Lord_Howe", date(2026, 10, 4)),  # 2:00 -> 2:30
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # 2:00 -> 1:30
    ("America/Santiago", date(2026, 9, 6)),  # 0:00 -> 1:00
    ("America/Santiago", date(2026, 4, 4)),  # 24:00 -> 23:00
    ("America/Havana", date(2026, 11, 1)),  # 1:00 -> 0:00
    ("Pacific/Chatham", date(2026, 9, 27)),  # 2:45 -> 3:45, at +12:45
    ("Pacific/Apia", date(2011, 12, 30)),  # the day that never was
    ("Asia/Kathmandu", date(2026, 3, 29)),  # +5:45
    ("Europe/Moscow", date(2026, 10, 25)),  # no summer time
    ("UTC", date(2026, 12, 31)),
]

days = st.sampled_from(ODD_DAYS).flatmap(
    lambda known: st.tuples(
        st.just(ZoneInfo(known[0])),
        st.integers(-2, 2).map(lambda shift: known[1] + timedelta(days=shift)),
    )
)
# Clocks change in the small hours, so half of the times are among them.
quarters = st.builds(time, st.integers(0, 3) | st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
weeks = st.lists(st.builds(Hours, st.integers(0, 6), quarters, quarters), max_size=12)


def ticks(day: date, *, before: int = 2, after: int = 3) -> list[datetime]:
    """Return the UTC quarter hours of a few days around a date."""
    midnight = datetime.combine(day, time.min, UTC)
    return [midnight + SLOT * n for n in range(-96 * before, 96 * after)]


def reading(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what the wall clock shows."""
    return at.astimezone(zone).replace(tzinfo=None)


def open_ticks(hours: list[Hours], day: date, zone: ZoneInfo) -> set[datetime]:
    """Return the open quarter hours of the stretches that start on a day.

    From the first moment the clock shows opening time or later, to the last moment it shows closing
    time, or the first later one if it never shows that.
    """
    found: set[datetime] = set()
    clock = [(at, reading(at, zone)) for at in ticks(day)]
    for stretch in hours:
        if stretch.weekday == day.weekday():
            opens = datetime.combine(day, stretch.opens_at)
            closes = datetime.combine(day, stretch.closes_at)
            if closes <= opens:
                closes += timedelta(days=1)
            first = next(at for at, shown in clock if shown >= opens)
            shown_then = [at for at, shown in clock if shown == closes]
            last = (shown_then or [at for at, shown in clock if shown > closes][:1])[-1]
            found |= {at for at, _shown in clock if first <= at < last}
    return found
