"""Shifts, turn times and combinations of tables as sentences."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.words.rules_in_words import length
from bookings.words.words import WEEKDAYS
from spaces.models import Place, Shift, TurnTime
from spaces.slots import clock

WEEK = "0123456"


def shift_in_words(shift: Shift) -> list[str]:
    """Return what a shift says: when guests are seated, and how many at a time."""
    named = {
        "days": days_in_words(shift.weekdays),
        "first": clock(shift.first_seating),
        "last": clock(shift.last_seating),
    }
    if shift.last_seating < shift.first_seating:
        when = _("%(days)s: the first seating is at %(first)s, the last at %(last)s in the night.")
    else:
        when = _("%(days)s: the first seating is at %(first)s, the last at %(last)s.")
    return [when % named, *_pacing(shift)]


def days_in_words(weekdays: str) -> str:
    """Write weekdays: «Every day», «Mon, Tue, Sat»."""
    if weekdays == WEEK:
        return _("Every day")
    return ", ".join(str(WEEKDAYS[int(digit)]) for digit in weekdays)


def _pacing(shift: Shift) -> list[str]:
    online, in_house = shift.covers_online, shift.covers_in_house
    if online is None and in_house is None:
        return [_("Any number of people may arrive at a time.")]
    said = []
    if online is None:
        said.append(_("Online, any number of people may arrive at a time."))
    elif online == 0:
        said.append(_("Nobody can book it online."))
    else:
        text = ngettext(
            "Online, up to %(n)d person may arrive in a quarter hour.",
            "Online, up to %(n)d people may arrive in a quarter hour.",
            online,
        )
        said.append(text % {"n": online})
    if in_house is None:
        said.append(_("By phone and without a booking, any number."))
    elif in_house == 0:
        said.append(_("By phone and without a booking, nobody: the staff are asked first."))
    else:
        text = ngettext(
            "By phone and without a booking, up to %(n)d person.",
            "By phone and without a booking, up to %(n)d people.",
            in_house,
        )
        said.append(text % {"n": in_house})
    return said


def turns_in_words(turns: Iterable[TurnTime]) -> list[str]:
    """Return a line for each size of parties: «1–2 people: 1 h 30 min»."""
    known = sorted(turns, key=lambda turn: turn.from_party)
    said = []
    for turn, following in zip_longest(known, known[1:]):
        last = None if following is None else following.from_party - 1
        said.append(f"{_people(turn.from_party, last)}: {length(turn.minutes)}")
    if known and known[0].from_party > 1:
        said.insert(0, f"{_people(1, known[0].from_party - 1)}: {_('as long as usual')}")
    return said


def people(n: int) -> str:
    return ngettext("%(n)d person", "%(n)d people", n) % {"n": n}


def _people(first: int, last: int | None) -> str:
    if last is None:
        return ngettext("%(n)d or more people", "%(n)d or more people", first) % {"n": first}
    written = f"{first}–{last}" if last > first else f"{first}"
    return ngettext("%(written)s person", "%(written)s people", last) % {"written": written}


def combination_in_words(whole: Place, parts: Sequence[Place]) -> list[str]:
    """Return what a combination is made of, and for whom it is."""
    named = {"first": whole.min_party, "last": whole.capacity}
    if whole.min_party < whole.capacity:
        text = _("For %(first)d to %(last)d people.") % named
    else:
        text = _("For %(people)s.") % {"people": people(whole.capacity)}
    said = [" + ".join(map(str, parts)), text]
    if whole.priority:
        said.append(_("Priority %(n)d among combinations.") % {"n": whole.priority})
    if not whole.is_bookable:
        said.append(_("Not offered now."))
    return said
