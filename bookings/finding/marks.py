"""A name for what the page of a day shows, so that a look whether anything is new costs little."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Func, OuterRef, Q, StringAgg, Subquery, TextField, Value
from django.db.models.functions import MD5, Cast, Coalesce

from accounts.models import User
from bookings.models import Booking, BookingEvent
from bookings.querysets import LONGEST_HELD
from bookings.states import OCCUPYING
from bookings.waiting import AN_EVENING, WaitingParty
from spaces import setups
from spaces.models import Space
from spaces.slots import Period

#: A page is as of one such step, so that it is replaced when time alone has changed it.
STEP = timedelta(minutes=5)

#: No day is longer, whatever its night and the clocks do.
LONGEST_DAY = timedelta(days=3)

LAST_SECOND = "4102444800"  # of the years that a mark may be about


class _Tally(Func):
    """How many rows there are, and the sum of their keys: nothing is added without changing it."""

    output_field = TextField()
    template = "COUNT(%(expressions)s) || '.' || COALESCE(SUM(%(expressions)s), 0)"


class _Joined(Func):
    """Texts, one after the other; nested, as `Concat` is, they are too much for SQLite."""

    output_field = TextField()
    template = "%(expressions)s"
    arg_joiner = " || "


_BETWEEN = Value("\n", TextField())

#: What a row shows of its member or guest. Changing it is no event of the booking.
_SHOWN = (
    *("member__name", "member__username", "member__email"),
    *("guest__phone", "guest__email", "guest__note", "guest__allergies"),
)


def _beginning(span: Period, its: str = "") -> Q:
    return Q(**{f"{its}starts_at__gte": span.starts_at, f"{its}starts_at__lt": span.ends_at})


def _running(span: Period, its: str = "") -> Q:
    """Return what holds a place since before the span: apart, as another index finds it."""
    return Q(
        **{f"{its}starts_at__lt": span.starts_at},
        **{f"{its}starts_at__gt": span.starts_at - LONGEST_HELD},
        **{f"{its}ends_at__gt": span.starts_at, f"{its}state__in": sorted(OCCUPYING)},
    )


def _happened(bookings: Q) -> Subquery:
    events = BookingEvent.objects.filter(bookings, booking__place__space=OuterRef("pk"))
    return Subquery(events.order_by().annotate(tally=_Tally("pk")).values("tally"))


def _people(bookings: Q) -> Subquery:
    """Digest who comes. In another order of rows a page is fetched once more, and that is all."""
    rows = Booking.objects.filter(bookings, place__space=OuterRef("pk")).order_by()
    nothing = Value("", TextField())
    said = [part for name in _SHOWN for part in (_BETWEEN, Coalesce(name, nothing))]
    of_row = _Joined(Cast("pk", TextField()), *said)
    digest = MD5(StringAgg(of_row, _BETWEEN))
    return Subquery(rows.values("place__space").annotate(digest=digest).values("digest"))


def _waiting(since: datetime) -> Subquery:
    """Tally the parties at the door: each change of one counts its version on."""
    parties = WaitingParty.objects.filter(space=OuterRef("pk"), created_at__gt=since - AN_EVENING)
    return Subquery(parties.order_by().annotate(tally=_Tally("version")).values("tally"))


def mark(
    user: User, slug: str, span: Period, *, now: datetime, step: timedelta = STEP
) -> str | None:
    """Name what a day's page shows, in one statement; None if the space isn't theirs to run.

    It changes with each event of a booking of that time, with what is known of those who come,
    with the list at the door, with the set-up, and after each `step`.
    """
    rows: Any = (
        Space.objects.run_by(user)
        .filter(slug=slug)
        .annotate(
            within=_happened(_beginning(span, "booking__")),
            running=_happened(_running(span, "booking__")),
            people=_people(_beginning(span)),
            others=_people(_running(span)),
            waiting=_waiting(span.starts_at),
        )
        .values_list("stamps__stamp", "within", "running", "people", "others", "waiting")
    )
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for stamp, *tallies in rows:
        found[tuple(tallies)].extend(filter(None, [stamp]))
    for tallies, stamps in found.items():
        at = int(now.timestamp() // step.total_seconds())
        ends = (int(end.timestamp()) for end in (span.starts_at, span.ends_at))
        return "_".join(map(str, [*ends, at, *tallies, setups.written(stamps)]))
    return None


def span_of(name: str) -> Period | None:
    """Return the time that a mark is about; None if it is no mark."""
    seconds = [part for part in name.split("_")[:2] if part.isascii() and part.isdigit()]
    if len(seconds) != 2 or max(map(len, seconds)) > len(LAST_SECOND):
        return None
    starts_at, ends_at = (datetime.fromtimestamp(int(n), tz=UTC) for n in seconds)
    is_day = starts_at < ends_at <= starts_at + LONGEST_DAY
    return Period(starts_at, ends_at) if is_day else None
