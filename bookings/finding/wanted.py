"""What a booking form asks for, in words, before anything is decided."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from accounts.models import User
from bookings.finding.last_word import last_word
from bookings.forms import PartyForm, book_form
from bookings.models import Booking
from bookings.waiting import WaitingParty
from bookings.words import words
from spaces import setups
from spaces.models import Space


def a_place(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    """Say which place, when and for how many; nothing if the form is invalid."""
    form = book_form(sent)
    if not form.is_valid() or form.found is None or form.period.ends_at <= form.period.starts_at:
        return []
    now = timezone.now()
    member = reader if isinstance(reader, User) else None
    setup = setups.shown(form.found.space_id)
    if setup is None:
        return []
    space, venue = setup.space, setup.venue_for(member, now)
    is_chosen = isinstance(form, PartyForm)
    what = _("A table that we choose") if is_chosen else str(form.found)
    said = [what, capfirst(words.when(form.period, space.zone, now)), space.name]
    if (people := form.cleaned_data["party_size"] or 1) > 1:
        said.append(ngettext("%(n)d person", "%(n)d people", people) % {"n": people})
    if note := form.cleaned_data["note"]:
        said.append(_("Note: %(note)s") % {"note": note})
    if "code" not in address:  # not a move
        said.append(capfirst(last_word(venue, form.found.kind, form.period, now=now)[0]))
    return [line for line in said if line]


def without_account(sent: QueryDict) -> str:
    """Return where guests book what a form asks for; "" where they may not."""
    form = book_form(sent)
    if not form.is_valid() or form.found is None or not form.found.space.guests_may_book:
        return ""
    names = (
        *("place", "space", "starts_at", "ends_at", "party_size", "features", "area", "note"),
        *("request_key", "next"),
    )
    return reverse("guest", query={name: sent[name] for name in names if sent.get(name)})


def a_booking(
    sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
) -> list[str]:
    """Say which of the reader's bookings a URL is about."""
    if not isinstance(reader, User) or "code" not in address:
        return []
    booking = Booking.objects.of(reader).with_place().filter(code=address["code"]).first()
    if booking is None:
        return []
    space = booking.place.space
    return [
        str(booking.place),
        capfirst(words.when(booking.period, space.zone, timezone.now())),
        space.name,
    ]


def leaving(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    """Say what deleting the reader's account would do."""
    if not isinstance(reader, User):
        return []
    upcoming = Booking.objects.of(reader).upcoming(timezone.now()).count()
    lost = ngettext(
        "%(n)s upcoming booking will be cancelled.",
        "%(n)s upcoming bookings will be cancelled.",
        upcoming,
    )
    erased = _("Your login, name and e-mail are erased. This can’t be undone.")
    return [lost % {"n": upcoming}, erased] if upcoming else [erased]


def of_staff(
    sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
) -> list[str]:
    """Say whom a form of the staff is about, and when: only what was typed in it."""
    who = sent.get("guest_name") or sent.get("name") or ""
    day = sent.get("day") or sent.get("date") or ""
    start = sent.get("starts") or sent.get("from") or ""
    return [line for line in (who, f"{day} {start}".strip()) if line]


def verb(sent: QueryDict) -> str:
    """Return the words of the button that was pressed on a row of the staff's day."""
    names = {
        "seat": pgettext("a button", "Seated"),
        "leave": pgettext("a button", "Left"),
        "no_show": pgettext("a button", "No-show"),
        "extend": _("+30 min"),
        "undo": pgettext("what was just done", "Undo"),
    }
    found = (words for name, words in names.items() if sent.get(name))
    return next(found, pgettext("a button", "Arrived"))


def door_verb(sent: QueryDict) -> str:
    """Return the words of the button that was pressed on a row of the list at the door."""
    for verb, said in DOOR_VERBS.items():
        if sent.get(verb):
            return str(said)
    return str(DOOR_VERBS["left"])


DOOR_VERBS = {
    "ready": gettext_lazy("Ready"),
    "too": gettext_lazy("Ready"),
    "seat": gettext_lazy("Seat"),
    "come": pgettext_lazy("a button", "Coming"),
    "undo": pgettext_lazy("what was just done", "Undo"),
    "left": pgettext_lazy("a button", "Left"),
}


def a_party(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    """Say whom a press on the list at the door is about."""
    if not isinstance(reader, User):
        return []
    for text in sent.dict().values():
        try:
            code = UUID(str(text).partition(".")[0])
        except ValueError:
            continue
        spaces = Space.objects.run_by(reader)
        for party in WaitingParty.objects.filter(code=code, space__in=spaces):
            return [party.name, party.space.name]
    return []


def a_visit(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    """Say whom a press on the staff's day is about."""
    if not isinstance(reader, User):
        return []
    named = [address["code"]] if "code" in address else sent.dict().values()
    for text in named:
        try:
            code = UUID(str(text).partition(".")[0])
        except ValueError:
            continue
        for booking in Booking.objects.run_by(reader).with_person().filter(code=code):
            member, space = booking.member, booking.place.space
            when = capfirst(words.when(booking.period, space.zone, timezone.now()))
            who = booking.guest_name or (member.get_full_name() if member else "")
            return [who, str(booking.place), when, space.name]
    return []
