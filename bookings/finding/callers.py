"""A booking of somebody who calls: found by name, phone, e-mail or code."""

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

import phonenumbers
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Cast, Replace

from accounts.models import User
from bookings.deciding.knowing import beginnings, country_of
from bookings.finding.day import SHOWN, Line, lines_of
from bookings.guests import Guest
from bookings.models import Booking
from bookings.states import OCCUPYING, UNDECIDED
from spaces.models import Space
from spaces.setups import Setup

#: How far back somebody may ask about.
PAST = timedelta(days=90)
MOST_AHEAD, MOST_PAST = 30, 10
MOST_LETTERS = 100
WORDS = 8

#: What people write between the digits of a number.
BETWEEN = " -.()/\u00a0\u2011\u2013"


def found(setup: Setup, text: str, *, now: datetime) -> list[Line]:
    """Return the bookings of a space that a text may mean: those ahead, then the latest others."""
    text = text.strip()[:MOST_LETTERS]
    if not text:
        return []
    rows = (
        Booking.objects.in_space(setup.space)
        .filter(state__in=SHOWN, starts_at__gt=now - PAST)
        .alias(digits=_digits())
        .filter(_matching(text, _numbers(text, setup.space), setup.space))
        .select_related("member", "guest")
    )
    is_ahead = Q(ends_at__gt=now, state__in=[*sorted(OCCUPYING), *UNDECIDED])
    ahead = rows.filter(is_ahead).order_by("starts_at", "pk")[:MOST_AHEAD]
    others = rows.exclude(is_ahead).order_by("-starts_at", "-pk")[:MOST_PAST]
    return lines_of(setup, [*ahead, *others], before=now, now=now)


def _matching(text: str, numbers: set[str], space: Space) -> Q:
    guests = Guest.objects.of(space).matching(text, sorted(numbers))
    wanted = Q(guest__in=guests.order_by().values("pk"))
    named = Q()
    for word in text.split()[:WORDS]:
        named &= _named(word)
    wanted |= named
    for number in numbers:
        wanted |= Q(digits__contains=number)
    if codes := codes_beginning(text):
        wanted |= Q(code__range=codes)
    return wanted


def _named(word: str) -> Q:
    # SQLite folds no other letters than English ones.
    spellings = {word, word.lower(), word.upper(), word.capitalize()}
    fields = ("guest_name", "guest_contact", "member__name", "member__email")
    wanted = [Q(**{f"{name}__icontains": each}) for name in fields for each in spellings]
    return reduce(or_, wanted, Q(member__username__contains=User.normalize_username(word)))


def _numbers(text: str, space: Space) -> set[str]:
    """Return what the digits of a phone number contain that somebody typed in any spelling."""
    typed = set(beginnings(text, country_of(space)))
    return typed | {national for number in typed if (national := _national(number))}


def _national(number: str) -> str:
    """Return a number's digits without its country, as people write them at home."""
    try:
        parsed = phonenumbers.parse(f"+{number}")
    except phonenumbers.NumberParseException:
        return ""
    return str(parsed.national_number) if phonenumbers.is_valid_number(parsed) else ""


def _digits() -> Cast:
    """Return the guest's contact without what stands between the digits."""
    bare = F("guest_contact")
    for character in BETWEEN:
        bare = Replace(bare, Value(character), Value(""))  # type: ignore[assignment]  # an expression too
    return Cast(bare, TextField())


def codes_beginning(word: str) -> tuple[UUID, UUID] | None:
    """Return the first and last code with this prefix; a range needs no text in the database."""
    digits = word.replace("-", "").lower()
    if not 6 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
