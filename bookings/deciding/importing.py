"""Bookings from a file: lines of comma-separated values, each a separate request.

A line that can't be a request is refused with its reasons and doesn't affect others. The request
key is made from the line's content, so that reading the same file again books nothing twice.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import batched
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.letters import TURNED, is_visible, turns
from accounts.models import User
from accounts.numbers import read_whole
from bookings.deciding import services, sheets
from bookings.deciding.cells import DateOrder, read_moment
from bookings.deciding.errors import BookingError, Refused
from bookings.deciding.rules import Problem, reason
from bookings.deciding.sheets import FileError
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.words.local_time import LocalTimeError, read_instant
from spaces.models import Place, Space

REQUIRED = ("place", "starts_at", "ends_at")
COLUMNS = (
    "space",
    *REQUIRED,
    "party_size",
    "member",
    "guest_name",
    "guest_contact",
    "note",
)
MOMENTS = {"starts_at", "ends_at"}
TEXTS = {"guest_name", "guest_contact", "note"}
CODE = re.compile("[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
#: How many lines share the queries that find their places and members.
TOGETHER = 200


class LineError(ValueError):
    """This line can't be a request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(code, message)


@dataclass(frozen=True)
class Line:
    """One line: its position in the file, its content, and its request key."""

    number: int
    values: Mapping[str, str]
    key: str
    surplus: bool = False  # more values than columns
    order: DateOrder | None = None

    def __getitem__(self, column: str) -> str:
        return self.values[column]


@dataclass
class Entry:
    """The result of a line: a booking, or the problems that kept it from being requested."""

    line: Line
    booking: Booking | None = None
    was_there: bool = False
    problems: list[Problem] = field(default_factory=list)


def read(
    content: bytes, *, encoding: str | None = None, order: DateOrder | None = None
) -> list[Line]:
    """Read a file with column names on top, however a spreadsheet wrote it.

    Raises FileError.
    """
    rows = sheets.rows(content, encoding=encoding)
    number, names = next(rows, (1, []))
    columns = [re.sub(r"[\s-]+", "_", name.lower()) for name in names]
    while columns and not columns[-1]:  # a comma at the end
        columns.pop()
    _require_known(columns, number)
    return list(_lines(rows, columns, order))


def _require_known(columns: list[str], number: int) -> None:
    if not columns:
        raise FileError("The file is empty: its first line names the columns.")
    if "" in columns:
        nth = columns.index("") + 1
        raise FileError(f"Line {number}: column {nth} has no name. Name it, or remove it.")
    found: list[tuple[str, Iterable[str]]] = [
        ("Unknown", (name for name in columns if name not in COLUMNS)),
        ("Missing", (name for name in REQUIRED if name not in columns)),
        ("Repeated", (name for name, count in Counter(columns).items() if count > 1)),
    ]
    for what, names in found:
        if listed := ", ".join(repr(name) for name in names):
            raise FileError(
                f"Line {number} has to name the columns. {what} columns: {listed}. "
                f"There are: {', '.join(COLUMNS)}."
            )
    if "member" not in columns and "guest_name" not in columns:
        raise FileError(
            f"Line {number}: a column 'member' or 'guest_name' has to say whom a booking is for."
        )


def _lines(
    rows: Iterator[tuple[int, list[str]]], columns: list[str], order: DateOrder | None
) -> Iterator[Line]:
    """Yield the rows' requests. A row may span several lines; the first one names it."""
    alike: Counter[str] = Counter()
    for number, cells in rows:
        values = dict.fromkeys(COLUMNS, "") | dict(zip(columns, cells, strict=False))
        normal = [
            _normal(values[name], order) if name in MOMENTS else values[name] for name in COLUMNS
        ]
        content = sha256(json.dumps(normal).encode()).hexdigest()
        alike[content] += 1
        key = f"import:{content}:{alike[content]}"
        yield Line(number, values, key, surplus=any(cells[len(columns) :]), order=order)


def _normal(text: str, order: DateOrder | None) -> str:
    """Return a date and time in one format: another program may save the file again."""
    try:
        return read_moment(text, order=order)
    except LocalTimeError:
        return text.replace(" ", "T")


def request(lines: Iterable[Line], *, by: User | None) -> Iterator[Entry]:
    """Request each line's booking, in order. Staff may only request for spaces that they run."""
    allowed = None if by is None else set(Space.objects.run_by(by).values_list("pk", flat=True))
    for some in batched(lines, TOGETHER):
        known = Known.of(some)
        for line in some:
            yield _requested(line, known, by=by, allowed=allowed)


def _requested(line: Line, known: "Known", *, by: User | None, allowed: set[int] | None) -> Entry:
    now = timezone.now()
    try:
        place = known.place_of(line)
        if allowed is not None and place.space_id not in allowed:
            raise LineError("not_staff", _("Only the staff of that space may book for others."))
        wish = Wish(
            place=place,
            member=known.member_of(line),
            starts_at=_instant(line, "starts_at", place),
            ends_at=_instant(line, "ends_at", place),
            party_size=_party_size(line),
            request_key=line.key,
            note=line["note"],
            guest_name=line["guest_name"],
            guest_contact=line["guest_contact"],
            channel=Booking.Channel.IMPORT,
        )
        booking = services.request(wish, by=by, now=now)
    except LineError as error:
        return Entry(line, problems=[error.problem])
    except Refused as error:
        return Entry(line, problems=error.problems)
    except BookingError as error:
        return Entry(line, problems=[Problem(error.code, str(error))])
    return Entry(line, booking, was_there=booking.created_at != now)


@dataclass(frozen=True)
class Known:
    """The places and members that these lines name."""

    numbered: Mapping[tuple[str, int], Place]  # by the space's slug and the place's number
    coded: Mapping[str, Place]
    members: Mapping[str, User]

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Known":
        """Find them all in three queries, leaving out values that a database can't even compare."""
        texts = [line.values for line in lines if "\0" not in "".join(line.values.values())]
        codes = {code for values in texts if (code := _code(values["place"]))}
        slugs = {values["space"] for values in texts} - {""}
        logins = {User.normalize_username(values["member"]) for values in texts} - {""}
        places = Place.objects.select_related("space")
        return cls(
            numbered={(p.space.slug, p.number): p for p in places.filter(space__slug__in=slugs)},
            coded={str(code): p for code, p in places.in_bulk(codes, field_name="code").items()},
            members=User.objects.in_bulk(logins, field_name="username"),
        )

    def place_of(self, line: Line) -> Place:
        _require_storable(line)
        text = line["place"]
        if code := _code(text):
            found = self.coded.get(str(code))
            if found is not None and line["space"] not in ("", found.space.slug):
                raise LineError("other_space", _("That place is in another space."))
        else:
            try:
                number = read_whole(text)
            except ValueError as error:
                message = _("“%(text)s”: a place is named by its number, in digits, or its code.")
                raise LineError("invalid", message % {"text": text}) from error
            if not line["space"]:
                raise LineError("invalid", _("A place’s number needs its space."))
            found = self.numbered.get((line["space"], number))
        if found is None:
            raise LineError("no_such_place", _("There is no such place."))
        return found

    def member_of(self, line: Line) -> User | None:
        if bool(line["member"]) == bool(line["guest_name"] or line["guest_contact"]):
            raise LineError("invalid", _("A booking is for a member or for a guest."))
        if not line["member"]:
            if not is_visible(line["guest_name"]):
                raise LineError("invalid", _("A guest needs a name."))
            if turns(line["guest_name"]):
                raise LineError("invalid", str(TURNED))
            return None
        found = self.members.get(User.normalize_username(line["member"]))
        if found is None:
            raise LineError("no_such_member", _("There is no such member."))
        return found


def _require_storable(line: Line) -> None:
    """Refuse what the table's columns can't store."""
    if line.surplus:
        raise LineError("invalid", _("The line has more values than there are columns."))
    if any("\0" in value for value in line.values.values()):
        raise LineError("invalid", _("The line contains a character that isn’t text."))
    for column in Booking._meta.fields:
        most = column.max_length if column.name in TEXTS else None
        if most is not None and len(line[column.name]) > most:
            named = {"column": column.name, "n": most}
            raise LineError("invalid", _("“%(column)s” has more than %(n)d characters.") % named)


def _code(text: str) -> UUID | None:
    return UUID(text) if CODE.fullmatch(text) else None


def _instant(line: Line, column: str, place: Place) -> datetime:
    try:
        return read_instant(read_moment(line[column], order=line.order), place.space.zone)
    except LocalTimeError as error:
        raise LineError("invalid", f"{column}: {error}") from error


def _party_size(line: Line) -> int:
    try:
        return read_whole(line["party_size"] or "1")
    except ValueError as error:
        message = f"party_size: “{line['party_size']}”: {error}"
        raise LineError("invalid", message) from error


@dataclass(frozen=True)
class Refusal:
    """A line without a place now, with codes for programs and sentences for people."""

    line: Line
    codes: list[str]
    reasons: list[str]
    cancelled_since: bool = False


def refusals(entries: Iterable[Entry]) -> Iterator[Refusal]:
    """Yield lines refused before the request or at the decision, or cancelled since."""
    for some in batched(entries, TOGETHER):
        asked = Booking.objects.in_bulk([entry.booking.pk for entry in some if entry.booking])
        for entry in some:
            if entry.booking is None:
                codes = [problem.code for problem in entry.problems]
                yield Refusal(entry.line, codes, [problem.message for problem in entry.problems])
                continue
            booking = asked[entry.booking.pk]
            if booking.state == State.REJECTED:
                codes = booking.problems
                yield Refusal(entry.line, codes, [reason(code) for code in codes])
            elif booking.state == State.CANCELLED:
                message = _("It was booked before, and cancelled since.")
                yield Refusal(entry.line, ["cancelled_since"], [message], cancelled_since=True)
