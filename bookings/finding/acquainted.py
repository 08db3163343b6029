"""Who is on the phone, or at the door: guests and members a space knows, found while typing."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q

from accounts.models import User
from bookings.deciding import knowing
from bookings.deciding.knowing import Suggestion
from bookings.guests import CAME, WORDS, Guest, GuestQuerySet
from bookings.models import Booking
from bookings.states import OCCUPYING, State
from spaces.models import Space

#: How many of each are suggested.
MOST = 6
MOST_NEWEST = 30
#: What a choice is called in a form: `guest:<code>` or `member:<login>`.
GUEST, MEMBER = "guest", "member"
#: Shorter texts would find half of the members.
SHORTEST = 2


@dataclass(frozen=True)
class Caller:
    """A person whom the space has met, as the staff see one while typing."""

    choice: str
    name: str
    phone: str
    email: str
    visits: int
    no_shows: int
    upcoming: int
    last_at: datetime | None
    note: str = ""
    allergies: str = ""
    login: str = ""  # of a member

    @property
    def code(self) -> str:
        """A guest's public code."""
        return self.choice.partition(":")[2]

    @property
    def is_member(self) -> bool:
        return bool(self.login)


def callers(space: Space, text: str, *, now: datetime) -> list[Caller]:
    """Return guests and members whom a text may mean: part of a name, a phone, an e-mail."""
    text = text.strip()
    if len(text) < SHORTEST:
        return []
    guests = [_of_guest(each) for each in knowing.suggestions(space, text, now=now)[:MOST]]
    return guests + _members(space, text, now=now)


def chosen(space: Space, choice: str, *, now: datetime) -> Caller | None:
    """Return the person that a form names, if the space knows one."""
    kind, _colon, key = choice.partition(":")
    if kind == MEMBER:
        found = _met(space, Q(member__username=User.normalize_username(key)), now=now)
        return next(iter(found), None)
    guest = guest_called(space, key) if kind == GUEST else None
    return None if guest is None else as_caller(space, guest, now=now)


def guest_called(space: Space, code: str) -> Guest | None:
    """Return a space's guest by the public code; None for anything else."""
    try:
        return Guest.objects.of(space).filter(code=code).first()
    except (ValueError, ValidationError):
        return None


def as_caller(space: Space, guest: Guest, *, now: datetime) -> Caller:
    """Return how a guest of a space is shown."""
    return _counted(Guest.objects.of(space).filter(pk=guest.pk), now=now)[0]


def newest(space: Space, *, now: datetime) -> list[Caller]:
    """Return whom a space met last."""
    last = Guest.objects.of(space).order_by("-pk").values_list("pk", flat=True)[:MOST_NEWEST]
    return _counted(Guest.objects.filter(pk__in=list(last)), now=now)


def _counted(guests: GuestQuerySet[Guest], *, now: datetime) -> list[Caller]:
    return [
        _of_guest(Suggestion(row, row.visits, row.no_shows, row.upcoming, row.last_at))  # type: ignore[attr-defined]  # annotated by `with_visits`
        for row in guests.with_visits(now).order_by("-pk")
    ]


def _of_guest(found: Suggestion) -> Caller:
    guest = found.guest
    return Caller(
        choice=f"{GUEST}:{guest.code}",
        name=guest.name,
        phone=guest.phone,
        email=guest.email,
        visits=found.visits,
        no_shows=found.no_shows,
        upcoming=found.upcoming,
        last_at=found.last_at,
        note=guest.note,
        allergies=guest.allergies,
    )


def _members(space: Space, text: str, *, now: datetime) -> list[Caller]:
    words = text.split()[:WORDS]
    return _met(space, reduce(and_, map(_word, words)), now=now) if words else []


def _word(word: str) -> Q:
    # SQLite folds no other letters than English ones.
    spellings = {word, word.lower(), word.upper(), word.capitalize()}
    named = [Q(member__name__icontains=each) for each in spellings]
    return (
        reduce(or_, named) | Q(member__username__icontains=word) | Q(member__email__icontains=word)
    )


def _met(space: Space, wanted: Q, *, now: datetime) -> list[Caller]:
    """Return members who have booked here, those who came most first: others are none of its
    business.
    """
    came = Q(state__in=CAME, starts_at__lte=now)
    rows = (
        Booking.objects.in_space(space)
        .filter(wanted, member__is_active=True)
        .order_by()
        .values("member__username", "member__name", "member__email")
        .annotate(
            visits=Count("pk", came),
            no_shows=Count("pk", Q(state=State.NO_SHOW)),
            upcoming=Count("pk", Q(state__in=sorted(OCCUPYING), starts_at__gt=now)),
            last_at=Max("starts_at", filter=came),
        )
        .order_by("-visits", "member__username")[:MOST]
    )
    return [
        Caller(
            choice=f"{MEMBER}:{row['member__username']}",
            name=row["member__name"] or row["member__username"],
            phone="",
            email=row["member__email"],
            visits=row["visits"],
            no_shows=row["no_shows"],
            upcoming=row["upcoming"],
            last_at=row["last_at"],
            login=row["member__username"],
        )
        for row in rows
    ]
