"""What a paper list would say of an evening: kept by hand, beside Mesto, and by its own arithmetic.

Nothing here reads the database or uses Mesto's code. Times are local datetimes of the house.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)

#: Places by name: seats, fewest people, preference, and the tables that are pushed together.
TABLES = {f"Table {n}": (2 if n <= 10 else 4 if n <= 16 else 6, 1, 0, (n,)) for n in range(1, 21)}
TABLES |= {
    "Tables 17 + 18": (12, 7, 0, (17, 18)),
    "Tables 19 + 20": (12, 7, 5, (19, 20)),
}
SINGLE = 20
#: How long a party stays, from so many people on.
TURNS = {1: 90, 3: 120, 5: 150}
#: How many may begin in a quarter hour.
ONLINE, IN_HOUSE = 10, 8
STAFF = {"STAFF", "WALK_IN"}


@dataclass
class Entry:
    """One line of the list."""

    name: str
    people: int
    place: str
    starts: datetime
    ends: datetime
    channel: str
    code: str = ""
    who: str = ""  # the member's login
    email: str = ""
    token: str = ""  # the guest's link
    state: str = "CONFIRMED"
    events: list[str] = field(default_factory=lambda: ["CONFIRMED"])
    mails: list[str] = field(default_factory=list)

    def __post_init__(self):
        if self.email:
            self.mails.append("yours")

    @property
    def holds(self):
        return self.state in {"CONFIRMED", "CHECKED_IN"}

    @property
    def is_kept(self):
        return self.holds or self.state == "COMPLETED"

    @property
    def tables(self):
        return TABLES[self.place][3]

    def happens(self, event, state, mail=""):
        self.events.append(event)
        self.state = state
        if mail and self.email:
            self.mails.append(mail)


class Ledger:
    """The list, and who would have to be refused."""

    def __init__(self, openings):
        self.openings = openings
        self.entries = []
        self.refusals = []

    def add(self, *args, **kwargs):
        entry = Entry(*args, **kwargs)
        self.entries.append(entry)
        return entry

    def closing(self, at):
        return next(closes for opens, closes in self.openings if opens <= at < closes)

    def turn(self, at, people):
        """Return when a party that sits down then has to leave."""
        minutes = next(TURNS[n] for n in sorted(TURNS, reverse=True) if n <= people)
        return min(at + minutes * MINUTE, self.closing(at))

    def arriving(self, at, channel):
        is_staff = channel in STAFF
        return sum(
            entry.people
            for entry in self.entries
            if entry.holds and entry.starts == at and (entry.channel in STAFF) == is_staff
        )

    def is_full(self, at, people, channel):
        most = IN_HOUSE if channel in STAFF else ONLINE
        return self.arriving(at, channel) + people > most

    def is_free(self, place, starts, ends, but=None):
        return not any(
            entry.holds
            and entry is not but
            and set(entry.tables) & set(TABLES[place][3])
            and entry.starts < ends
            and starts < entry.ends
            for entry in self.entries
        )

    def free_until(self, place, at):
        """Return when the next party comes to a free place, or the house closes."""
        coming = [
            entry.starts
            for entry in self.entries
            if entry.holds and entry.starts >= at and set(entry.tables) & set(TABLES[place][3])
        ]
        return min([*coming, self.closing(at)])

    def best(self, places, people):
        """Return the place that a careful host would give them."""

        def rank(place):
            seats, _fewest, preference, tables = TABLES[place]
            empty = seats - people
            if len(tables) == 1:
                return (0, empty, -preference, tables)
            return (1, -preference, empty, tables)

        return min(places, key=rank, default=None)

    def expects(self, at, people, channel, place=None):
        """Return the place that they get, or why they are refused."""
        if self.is_full(at, people, channel):
            return "pacing_full"
        ends = self.turn(at, people)
        fitting = [
            each
            for each, (seats, fewest, _preference, _tables) in TABLES.items()
            if fewest <= people <= seats and place in (None, each)
        ]
        free = [each for each in fitting if self.is_free(each, at, ends)]
        return self.best(free, people) or "slot_taken"

    def expects_walk_in(self, at, people):
        """Return the place and the end for people who stand there: long enough before best fit.

        None, twice, when there is nothing for them.
        """
        start = at - (at - at.replace(minute=0, second=0)) % QUARTER
        spots = []
        for place, (seats, fewest, _preference, _tables) in TABLES.items():
            if seats < people or not self.is_free(place, start, start + QUARTER):
                continue
            until = self.free_until(place, start)
            if until - at >= QUARTER:
                spots.append((place, until, fewest > people))
        ends = self.turn(start, people)
        long = [spot for spot in spots if spot[1] >= ends]
        usual = [place for place, _until, is_kept in long if not is_kept]
        if best := self.best(usual, people) or self.best([spot[0] for spot in long], people):
            return best, ends
        longest = max((spot[1] for spot in spots), default=None)
        return self.best([spot[0] for spot in spots if spot[1] == longest], people), longest

    # --- What it adds up to -----------------------------------------------------------------------

    @property
    def kept(self):
        return [entry for entry in self.entries if entry.is_kept]

    def count(self, state):
        return sum(entry.state == state for entry in self.entries)

    def covers(self):
        """Return how many people come in each quarter hour."""
        found = {}
        for entry in self.kept:
            found[entry.starts] = found.get(entry.starts, 0) + entry.people
        return found

    def booked_hours(self):
        """Return for how long tables are taken, each table by itself."""
        times = [(entry.ends - entry.starts) * len(entry.tables) for entry in self.kept]
        return sum(times, timedelta(0)) / timedelta(hours=1)

    def doubled(self):
        """Return pairs of lines that have one table at one time."""
        lines = self.kept
        return [
            (one.name, other.name)
            for n, one in enumerate(lines)
            for other in lines[n + 1 :]
            if set(one.tables) & set(other.tables)
            and one.starts < other.ends
            and other.starts < one.ends
        ]
