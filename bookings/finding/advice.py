"""What to try when nothing is free: only suggestions whose search finds something."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.deciding.rules import Problem
from bookings.finding.availability import Availability, Offer
from bookings.finding.search import Search
from bookings.words import words
from spaces.limits import Limits
from spaces.slots import Period

#: More would be too much to read.
MOST = 3


@dataclass(frozen=True)
class Advice:
    """What to change, in words, and the changed search."""

    words: str
    search: Search


def advice(
    known: Availability, search: Search, problems: list[Problem], now: datetime
) -> list[Advice]:
    """Return other searches to try; none that would find nothing."""
    assert search.period is not None
    codes = {problem.code for problem in problems}
    if "too_far_ahead" in codes:
        return list(_last_day(known, search, now))
    if search.period.ends_at <= search.period.starts_at:
        return []
    ways = (_one_by_one, _fewer_people, _fewer_features, _shorter)
    found = (each for way in ways for each in way(known, search, now))
    return list(islice(found, MOST))


def _offers(known: Availability, search: Search, now: datetime) -> list[Offer]:
    assert search.period is not None
    return known.offers(
        search.period, party_size=search.party_size, now=now, features=search.features
    )


def _one_by_one(known: Availability, search: Search, now: datetime) -> Iterator[Advice]:
    """Several places together have room when no single one does. Parts of composites count once."""
    if search.party_size == 1:
        return
    alone = replace(search, party_size=1, place=None)
    taken: set[int] = set()
    chosen: list[Offer] = []
    largest_first = sorted(
        _offers(known, alone, now), key=lambda o: (-o.place.capacity, o.place.number)
    )
    for offer in largest_first:
        leaves = known.venue.leaves(offer.place.pk)
        if sum(each.place.capacity for each in chosen) < search.party_size and not leaves & taken:
            chosen.append(offer)
            taken |= leaves
    seats = sum(offer.place.capacity for offer in chosen)
    if len(chosen) > 1 and seats >= search.party_size:
        text = ngettext(
            "%(n)d place together has room for %(people)d: book one by one",
            "%(n)d places together have room for %(people)d: book them one by one",
            len(chosen),
        )
        yield Advice(
            text % {"n": len(chosen), "people": seats},
            replace(alone, party_size=min(offer.place.capacity for offer in chosen)),
        )


def _fewer_people(known: Availability, search: Search, now: datetime) -> Iterator[Advice]:
    found = _offers(known, replace(search, party_size=1), now) if search.party_size > 1 else []
    if found:
        most = max(offer.place.capacity for offer in found)
        text = ngettext("For %(n)d person", "For %(n)d people", most) % {"n": most}
        yield Advice(text, replace(search, party_size=most, place=None))


def _fewer_features(known: Availability, search: Search, now: datetime) -> Iterator[Advice]:
    without = replace(search, features=(), place=None)
    if search.features and (found := _offers(known, without, now)):
        text = ngettext(
            "Without these features: %(n)d place",
            "Without these features: %(n)d places",
            len(found),
        )
        yield Advice(text % {"n": len(found)}, without)


def _shorter(known: Availability, search: Search, now: datetime) -> Iterator[Advice]:
    """Return the longest free time with the same start."""
    assert search.period is not None
    all_limits = [known.venue.limits(kind) for kind in {place.kind for place in known.places}]
    if not all_limits:
        return
    step = min(limits.step for limits in all_limits)
    longest = min(search.period.duration - step, max(limits.longest for limits in all_limits))
    length = longest // step * step
    while length > timedelta(0):
        starts_at = search.period.starts_at
        shorter = replace(search, period=Period(starts_at, starts_at + length), place=None)
        if found := _offers(known, shorter, now):
            assert shorter.period is not None
            text = ngettext("%(time)s: %(n)d place", "%(time)s: %(n)d places", len(found))
            named = {"time": words.span(shorter.period, known.venue.zone), "n": len(found)}
            yield Advice(text % named, shorter)
            return
        length -= step


def _last_day(known: Availability, search: Search, now: datetime) -> Iterator[Advice]:
    venue = known.venue
    ahead = max(
        (venue.limits(place.kind).max_days_ahead for place in known.places),
        default=Limits().max_days_ahead,
    )
    last = venue.today(now) + timedelta(days=ahead)
    day = next((day for n in range(7) if venue.openings(day := last - timedelta(days=n))), None)
    if day is not None:
        text = _("Look at %(day)s") % {"day": words.day(day, venue.today(now))}
        yield Advice(text, replace(search, day=day, place=None))
