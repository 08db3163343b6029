"""Who the guest of a booking is: found again by phone or e-mail, or met for the first time.

What is typed while booking is kept with the booking as it was said. The guest's own row is what the
space knows about the person, whichever way it was spelled.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers
from babel.core import get_global
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat

from bookings.deciding.wish import PartyWish, Wish
from bookings.guests import Guest
from bookings.models import Booking
from spaces.models import Space

#: How many guests are suggested while somebody types.
MOST_SUGGESTED = 8
#: With fewer digits nearly every number would be found.
FEWEST_DIGITS = 3
#: Fewer are no phone number: a room or a table, perhaps.
FEWEST_OF_A_PHONE = 5
MOST_DIGITS = 20  # as many as the column holds

EMAIL = re.compile(r"[^\s,;<>()]+@[^\s,;<>()]+")
PHONE = re.compile(r"[+(]?\d[\d\s()./\-‐‑–]*\d")


def country_of(space: Space) -> str:
    """Return the country whose way of writing numbers a space follows, or "" if nobody can tell."""
    zones = get_global("zone_territories")
    return space.country or str(zones.get(space.time_zone, ""))


def digits(phone: str, country: str) -> str:
    """Return a number's international digits, however it is spelled: one number, one text.

    `country` (ISO 3166-1 alpha-2, or "") says what a number without its country means. What is no
    number anywhere keeps its bare digits, as typed.
    """
    for number in _numbers(phone, country):
        return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    return _bare(phone)[:MOST_DIGITS]


def number_of(booking: Booking) -> str:
    """Return the number that a booking's guest left as it is dialled from everywhere: +44…

    "" for none, and for what is no number.
    """
    if booking.member_id is not None:
        return ""
    phone, _email = contacts(booking.guest_contact)
    return dialled(phone, booking.place.space)


def dialled(phone: str, space: Space) -> str:
    """Return a number as it is dialled from everywhere: +44… "" for what is no number."""
    for number in _numbers(phone, country_of(space)):
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return ""


def _numbers(phone: str, country: str) -> list[phonenumbers.PhoneNumber]:
    """Return what a number may be, those that exist first."""
    bare = _bare(phone)
    spellings = [(phone, country)]
    if not phone.strip().startswith("+"):
        if bare.startswith("00"):
            spellings.insert(0, (f"+{bare[2:]}", ""))
        # Many leave out the plus; it only counts if such a number exists.
        spellings.append((f"+{bare}", ""))
    found = [number for text, region in spellings if (number := _parsed(text, region))]
    return [*filter(phonenumbers.is_valid_number, found), *found[:1]]


def _parsed(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country or None)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _bare(text: str) -> str:
    return "".join(str(int(character)) for character in text if character.isdecimal())


def contacts(text: str) -> tuple[str, str]:
    """Return the phone and the e-mail that a contact names, each "" if it names none.

    People write either, or both: "anna@example.org, +7 900 123-45-67".
    """
    email = ""
    for found in EMAIL.findall(text):
        candidate = found.strip(".:'\"").lower().removeprefix("mailto:")
        if not email and _is_email(candidate):
            email = candidate
    phones = PHONE.findall(EMAIL.sub(" ", text))
    phone = next((each for each in phones if len(_bare(each)) >= FEWEST_OF_A_PHONE), "")
    return phone.strip()[: Guest._meta.get_field("phone").max_length], email


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= (Guest._meta.get_field("email").max_length or 0)


def recognise(
    space: Space, *, name: str, phone: str, email: str, now: datetime, learn: bool = False
) -> Guest | None:
    """Return the guest with this phone or e-mail, made if the space has none; None without either.

    The phone counts first. For use in a transaction: the row is locked until its end, and of two
    at the same time who meet somebody new, the constraints let one make the row, and the other
    gets it. Unless staff say so (`learn`), nothing is added to a guest who is known already:
    whoever knows a stranger's phone must not add an address to it.
    """
    number, address = digits(phone, country_of(space)), email.strip().lower()
    if not number and not address:
        return None
    found = _known(space, number, address)
    if found is None:
        new = Guest(
            space=space,
            name=name,
            phone=phone,
            phone_digits=number,
            email=address,
            created_at=now,
        )
        Guest.objects.bulk_create([new], ignore_conflicts=True)
        found = _known(space, number, address)
    if found is not None and learn:
        _learn(found, phone=phone, number=number, email=address)
    return found


def _known(space: Space, number: str, email: str) -> Guest | None:
    reached = Guest.objects.of(space).reached_by(phone_digits=number, email=email)
    rows = list(reached.order_by("pk").select_for_update(no_key=True))
    by_phone = [guest for guest in rows if number and guest.phone_digits == number]
    return next(iter(by_phone or rows), None)


def _learn(guest: Guest, *, phone: str, number: str, email: str) -> None:
    """Fill in what the row lacks, unless it is known as somebody else's."""
    new: dict[str, str] = {}
    if number and not guest.phone_digits:
        new |= {"phone": phone, "phone_digits": number}
    if email and not guest.email:
        new |= {"email": email}
    if not new:
        return
    try:
        with transaction.atomic():
            Guest.objects.filter(pk=guest.pk).update(**new)
    except IntegrityError:
        return
    for name, value in new.items():
        setattr(guest, name, value)


def guest_of(
    said: Wish | PartyWish | Booking, *, now: datetime, learn: bool = False
) -> Guest | None:
    """Recognise a wish's or a booking's guest by the contact; None for members and strangers."""
    if said.member is not None or not said.guest_contact:
        return None
    phone, email = contacts(said.guest_contact)
    name = said.guest_name
    space = said.space if isinstance(said, PartyWish) else said.place.space
    return recognise(space, name=name, phone=phone, email=email, now=now, learn=learn)


@dataclass(frozen=True)
class Suggestion:
    """A guest as the staff see one while typing."""

    guest: Guest
    visits: int  # how often the guest came
    no_shows: int
    upcoming: int
    last_at: datetime | None  # when the guest came last

    @property
    def contact(self) -> str:
        return ", ".join(filter(None, [self.guest.phone, self.guest.email]))


def suggestions(space: Space, text: str, *, now: datetime) -> list[Suggestion]:
    """Return guests of a space by the beginning of a name, phone or e-mail, in one statement.

    Those who came most are first.
    """
    if not text.strip():
        return []
    known = Guest.objects.of(space).matching(text, beginnings(text, country_of(space)))
    rows = known.with_visits(now).most_visits_first()[:MOST_SUGGESTED]
    return [
        Suggestion(guest, guest.visits, guest.no_shows, guest.upcoming, guest.last_at)  # type: ignore[attr-defined]  # annotated by `with_visits`
        for guest in rows
    ]


def beginnings(text: str, country: str) -> Sequence[str]:
    """Return what the digits of a number may contain that somebody has begun to type."""
    bare = _bare(text)
    if len(bare) < FEWEST_DIGITS or "@" in text:
        return []
    found = {bare, bare.removeprefix("00"), digits(text, country)}
    region = PhoneMetadata.metadata_for_region(country) if country else None
    if region is not None and region.national_prefix:
        national = bare.removeprefix(region.national_prefix)
        if national != bare and len(national) >= FEWEST_DIGITS:
            found.add(f"{region.country_code}{national}")
    return sorted(found)
