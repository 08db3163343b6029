"""Who did what in a space, from all logs there are, the latest first, a page at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import batched, islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.factors import FactorEvent
from accounts.joining import AuditEntry, TeamEvent
from bookings.models import BookingEvent
from spaces.models import Space

#: What a reader may choose, and the logs that have it.
SIGN_INS, RIGHTS, SET_UP, BOOKINGS = "sign-ins", "rights", "set-up", "bookings"
TOPICS = (SIGN_INS, RIGHTS, SET_UP, BOOKINGS)

#: How many requests are looked up at once.
BATCH = 500

OF_SIGN_INS = (
    *(AuditEntry.Kind.SIGNED_IN, AuditEntry.Kind.SIGNED_OUT, AuditEntry.Kind.REFUSED),
    AuditEntry.Kind.SECURITY,
)


@dataclass(frozen=True)
class Asked:
    """What to show: of a space, or of all for None; no topic for all of them."""

    space: Space | None
    topic: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: rows of one moment are told apart by their log and key."""

    at: datetime
    log: int
    key: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}.{self.log}.{self.key}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        at, _dot, rest = text.rpartition(".")
        at, _dot, log = at.rpartition(".")
        try:
            found = cls(datetime.fromisoformat(at), int(log), int(rest))
        except ValueError:
            return None
        is_sound = found.at.tzinfo is not None and 0 <= found.key < 2**63 and 0 <= found.log < 9
        return found if is_sound else None


type Row = AuditEntry | TeamEvent | BookingEvent | FactorEvent


def rows(asked: Asked, *, after: Cursor | None, most: int) -> tuple[list[Row], Cursor | None]:
    """Return a page of rows, and where the next begins; None when there is none."""
    found = list(islice(_all(asked, after, most + 1), most + 1))
    if len(found) <= most:
        return [row for _order, row in found], None
    _at, log, key = found[most - 1][0]
    last: Any = found[most - 1][1]
    return [row for _order, row in found[:most]], Cursor(last.at, log, -key)


def where_from(found: Iterable[Row]) -> dict[tuple[str, int | None], AuditEntry]:
    """Return the lines that say from where, by request and actor, for what other logs have.

    Nothing is kept of where members were when they booked for themselves.
    """
    ids = {row.request_id for row in found if not isinstance(row, AuditEntry)} - {""}
    here: dict[tuple[str, int | None], AuditEntry] = {}
    for some in batched(sorted(ids), BATCH):
        for entry in AuditEntry.objects.filter(request_id__in=some):
            here[entry.request_id, entry.actor_id] = entry
    return here


def _all(
    asked: Asked, after: Cursor | None, most: int
) -> Iterator[tuple[tuple[float, int, int], Row]]:
    """Merge what all logs have, in one order that no two rows share."""
    return merge(
        *(_page(number, log, after, most) for number, log in enumerate(_logs(asked))),
        key=lambda pair: pair[0],
    )


def _page(
    number: int, log: QuerySet[Any], after: Cursor | None, most: int
) -> Iterable[tuple[tuple[float, int, int], Row]]:
    if after is not None:
        earlier = Q(at__lt=after.at)
        if number > after.log:
            earlier |= Q(at=after.at)
        elif number == after.log:
            earlier |= Q(at=after.at, pk__lt=after.key)
        log = log.filter(earlier)
    for row in log.order_by("-at", "-pk")[:most]:
        yield (-row.at.timestamp(), number, -row.pk), row


def _logs(asked: Asked) -> list[QuerySet[Any]]:
    """Return the rows of each log, always in the same order of logs."""
    logs: dict[str, list[QuerySet[Any]]] = {
        SIGN_INS: [_sign_ins(asked), _factors(asked)],
        SET_UP: [_changes(asked)],
        RIGHTS: [_team(asked)],
        BOOKINGS: [_bookings(asked)],
    }
    return [
        _within(log if asked.topic in ("", topic) else log.none(), asked)
        for topic, found in logs.items()
        for log in found
    ]


def _within(log: QuerySet[Any], asked: Asked) -> QuerySet[Any]:
    if asked.since is not None:
        log = log.filter(at__gte=asked.since)
    return log.filter(at__lt=asked.until) if asked.until is not None else log


def _sign_ins(asked: Asked) -> QuerySet[AuditEntry]:
    """Only the staff's: when members sign in is no business of a space's."""
    found = AuditEntry.objects.filter(kind__in=OF_SIGN_INS).select_related("actor")
    if asked.space is not None:
        found = found.filter(actor__staff_roles__space=asked.space)
    return found.filter(_named(asked.text, "actor"))


def _factors(asked: Asked) -> QuerySet[FactorEvent]:
    """What happened to whatever opens the accounts of those whose sign-ins are shown."""
    found = FactorEvent.objects.select_related("actor", "user")
    if asked.space is not None:
        found = found.filter(user__staff_roles__space=asked.space)
    return found.filter(_named(asked.text, "actor", "user"))


def _changes(asked: Asked) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.filter(kind=AuditEntry.Kind.CHANGED)
    if asked.space is not None:
        found = found.filter(space=asked.space)
    wanted = _named(asked.text, "actor")
    if asked.text:
        wanted |= Q(what__icontains=asked.text)
    return found.filter(wanted).select_related("actor", "space")


def _team(asked: Asked) -> QuerySet[TeamEvent]:
    found = TeamEvent.objects.select_related("actor", "person", "space")
    if asked.space is not None:
        found = found.filter(space=asked.space)
    wanted = _named(asked.text, "actor", "person")
    if asked.text:
        wanted |= Q(email__icontains=asked.text)
    return found.filter(wanted)


def _bookings(asked: Asked) -> QuerySet[BookingEvent]:
    found = BookingEvent.objects.select_related("actor", "booking__member", "booking__place__space")
    if asked.space is not None:
        found = found.filter(booking__place__space=asked.space)
    wanted = _named(asked.text, "actor", "booking__member")
    if asked.text:
        wanted |= Q(reason__icontains=asked.text) | Q(booking__guest_name__icontains=asked.text)
        wanted |= Q(booking__code=code) if (code := _code(asked.text)) else Q(pk__in=[])
    return found.filter(wanted)


def _named(text: str, *people: str) -> Q:
    if not text:
        return Q()
    found = Q(pk__in=[])
    for person in people:
        found |= Q(**{f"{person}__username__icontains": text})
        found |= Q(**{f"{person}__name__icontains": text})
    return found


def _code(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
