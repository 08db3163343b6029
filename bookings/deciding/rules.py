"""What forbids a booking: every reason at once, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bookings.words import words
from bookings.words.local_time import EARLIEST, LATEST
from bookings.words.quotas_in_words import quota_in_words
from spaces.limits import Limits, Quota
from spaces.models import Place
from spaces.slots import SLOT, Period, is_on_grid
from spaces.venue import Venue

#: With any of these there is no point in asking whether the space is open.
NONSENSE = {"ends_before_start", "off_grid", "in_the_past", "too_far_ahead", "too_long"}

#: Refusals that another place or time would meet as well.
ABOUT_THE_PERSON = {
    "account_closed",
    "contact_missing",
    "guests_not_allowed",
    "other_space",
    "too_late",
    "too_many_hours",
    "too_many_undecided",
    "too_many_no_shows",
    "too_many_upcoming",
    "wrong_state",
}

#: What binds guests and members, not those who run the house.
NOT_FOR_THE_HOUSE = {"party_too_small_for_place", "no_seating"}

#: The most that a row can store, on every database.
LARGEST_PARTY = 32_767

#: Every code that a refusal may carry, with its general meaning.
REASONS: dict[str, str | Promise] = {
    "ends_before_start": gettext_lazy("The end must be later than the start."),
    "not_longer": gettext_lazy("The new end is not later than the present one."),
    "off_grid": gettext_lazy("Times must be on the quarter hour: :00, :15, :30 or :45."),
    "in_the_past": gettext_lazy("This time is already past."),
    "too_far_ahead": gettext_lazy("Bookings are not open for that day yet."),
    "too_soon": gettext_lazy("Bookings have to be made further ahead."),
    "too_short": gettext_lazy("The booking is shorter than the space allows."),
    "too_long": gettext_lazy("The booking is longer than the space allows."),
    "off_step": gettext_lazy("The start or length doesn’t fit the space’s booking steps."),
    "closed": gettext_lazy("The space is not open for all of that time."),
    "not_bookable": gettext_lazy("The place can’t be booked."),
    "party_too_small": gettext_lazy("At least one person has to come."),
    "party_too_large": gettext_lazy("The place doesn’t have room for that many people."),
    "party_too_small_for_place": gettext_lazy("The place is kept for larger parties."),
    "no_seating": gettext_lazy("Nobody is seated at that time."),
    "pacing_full": gettext_lazy("Too many people arrive at that time already."),
    "too_many_hours": gettext_lazy("One member may not have more hours of that day here."),
    "too_many_upcoming": gettext_lazy("One member may not have more upcoming bookings here."),
    "too_many_no_shows": gettext_lazy("The member didn’t come too often of late."),
    "too_many_undecided": gettext_lazy(
        "Too many of the member’s requests are waiting for a decision."
    ),
    "slot_taken": gettext_lazy("Somebody else has the place for part of that time."),
    "other_space": gettext_lazy("That place is in another space."),
    "guests_not_allowed": gettext_lazy("Booking here needs an account."),
    "contact_missing": gettext_lazy("A guest has to leave an e-mail address or a phone number."),
    "account_closed": gettext_lazy("The member’s account is closed."),
    "zone_moved": gettext_lazy("The space’s time zone has changed."),
    "parts_changed": gettext_lazy("The place is made up of other parts now."),
    "parts_taken": gettext_lazy("Somebody else has one of the place’s new parts at that time."),
    "undecidable": gettext_lazy("Something on our side kept this from being decided."),
    "no_such_place": gettext_lazy("There is no such place."),
    "no_such_member": gettext_lazy("There is no such member."),
    "not_staff": gettext_lazy("Only the staff of that space may book for others."),
    "features_missing": gettext_lazy("The place lacks a feature that was asked for."),
    "invalid": gettext_lazy("Something that was sent can’t be read."),
    "request_key_reused": gettext_lazy("The request key was already used for another booking."),
    "wrong_state": gettext_lazy("The booking’s state does not allow that."),
    "too_late": gettext_lazy("The deadline for changing the booking has passed."),
}


def reason(code: str) -> str:
    """Return the general sentence for a code, or the code itself if a later release added it."""
    return str(REASONS.get(code, code))


def is_of_zone(data: Mapping[str, Any]) -> bool:
    """Tell whether an event happened because the space's time zone changed."""
    return "zone_moved" in data.get("problems", ())


@dataclass(frozen=True)
class Problem:
    """One reason, with a stable code for programs and a sentence for people."""

    code: str
    message: str


def problems(
    venue: Venue,
    place: Place,
    period: Period,
    *,
    party_size: int,
    now: datetime,
    upcoming: Mapping[str, int] | None = None,
    walk_in: bool = False,
    by_house: bool = False,
    any_length: bool = False,
    begun_at: datetime | None = None,
) -> list[Problem]:
    """Return everything that forbids this booking; empty when the rules allow it.

    `upcoming` counts the member's upcoming bookings in this space by kind of place; None when no
    quota applies. Someone who stands at the desk (`walk_in`) may have the step that is running and
    needs no notice; with `any_length`, it may be shorter than the shortest booking and off its
    steps. A start that stays where it is (`begun_at`) may be past. Those who run the house
    (`by_house`, or at the desk) may seat a small party at a large table, and outside the shifts.
    Whether somebody else has the place is not a rule: the database decides that. How many arrive at
    a time is: see `bookings.deciding.pacing`.
    """
    limits = venue.limits(place.kind, period.starts_at)
    if any_length:
        limits = replace(limits, step=SLOT, min_duration=SLOT)
    found = of_place(place, party_size)
    if period.starts_at == begun_at:
        found += _of_the_rest(venue, limits, period, now)
    else:
        found += of_time(venue, limits, period, now, walk_in=walk_in)
    if walk_in or by_house:
        found = for_house(found)
    if not any(problem.code in NONSENSE for problem in found) and not venue.is_open(
        place.pk, period
    ):
        found = [problem for problem in found if problem.code != "off_step"]
        found.append(closed(venue, period, now))
    return [*found, *of_quotas(limits.quotas, upcoming)]


def of_people(place: Place, party_size: int) -> list[Problem]:
    """Return what forbids the house to let so many people come to what stays where it is."""
    return for_house(_of_party(place, party_size, most=place.capacity))


def of_setup(
    venue: Venue,
    place: Place,
    period: Period,
    *,
    party_size: int,
    now: datetime,
    any_length: bool = False,
    by_house: bool = False,
) -> list[Problem]:
    """Return what the set-up alone forbids about a booking that already exists.

    Notice, horizon and quotas apply when booking, not to existing bookings. See also `stranding`.
    """
    limits = venue.limits(place.kind, period.starts_at)
    of_length = [] if any_length else _of_length(venue, limits, period)
    found = [*of_place(place, party_size), *of_length, *_of_seating(venue, period)]
    if by_house:
        found = for_house(found)
    if not venue.is_open(place.pk, period):
        found = [problem for problem in found if problem.code != "off_step"]
        found.append(closed(venue, period, now))
    return found


def for_house(found: list[Problem]) -> list[Problem]:
    return [problem for problem in found if problem.code not in NOT_FOR_THE_HOUSE]


def of_place(place: Place, party_size: int) -> list[Problem]:
    found = []
    if not place.is_bookable or not place.space.is_active:
        found.append(
            Problem("not_bookable", _("%(place)s can’t be booked.") % {"place": str(place)})
        )
    found += _of_party(place, party_size, most=place.capacity)
    if 1 <= party_size < place.min_party:
        message = ngettext(
            "%(place)s is for %(n)d person or more.",
            "%(place)s is for %(n)d people or more.",
            place.min_party,
        )
        named = {"place": str(place), "n": place.min_party}
        found.append(Problem("party_too_small_for_place", message % named))
    return found


def _of_party(place: Place, party_size: int, *, most: int) -> list[Problem]:
    if party_size < 1:
        return [Problem("party_too_small", _("At least one person has to come."))]
    if party_size <= most:
        return []
    message = ngettext(
        "%(place)s is for %(n)d person.", "%(place)s is for up to %(n)d people.", place.capacity
    )
    return [
        Problem("party_too_large", message % {"place": str(place), "n": place.capacity}),
    ]


def unstorable(place: Place, period: Period, party_size: int) -> list[Problem]:
    """Return why this can't be any booking, whatever the space allows: no row could store it."""
    return [*_of_party(place, party_size, most=LARGEST_PARTY), *of_period(period)]


def of_period(period: Period) -> list[Problem]:
    if period.ends_at <= period.starts_at:
        return [Problem("ends_before_start", _("The end must be later than the start."))]
    if not (is_on_grid(period.starts_at) and is_on_grid(period.ends_at)):
        return [Problem("off_grid", _("Times must be on the quarter hour: :00, :15, :30 or :45."))]
    # Years in which a zone's offset can't leave the calendar.
    if period.starts_at.year < EARLIEST.year:
        return [already_past()]
    if period.ends_at.year > LATEST.year:
        return [Problem("too_far_ahead", _("This date is too far away."))]
    return []


def too_many_undecided(count: int) -> Problem:
    message = _(
        "%(n)d of your requests are waiting for a decision. Ask again once some are decided."
    )
    return Problem("too_many_undecided", message % {"n": count})


def already_past() -> Problem:
    return Problem("in_the_past", _("This time is already past."))


def of_time(
    venue: Venue, limits: Limits, period: Period, now: datetime, *, walk_in: bool = False
) -> list[Problem]:
    """Return what forbids a period for every place with these limits, apart from opening hours."""
    if nonsense := of_period(period):
        return nonsense
    is_running = walk_in and now < period.starts_at + limits.step
    if period.starts_at < now and not is_running:
        return [already_past()]
    last = last_day(venue, limits, now)
    if period.starts_at.astimezone(venue.zone).date() > last:
        day = words.day(last, venue.today(now))
        message = _("Bookings are open until %(day)s.") % {"day": day}
        return [Problem("too_far_ahead", message)]
    found = []
    if period.starts_at < now + limits.min_notice and not walk_in:
        message = _("Book at least %(time)s before the start.") % {
            "time": words.duration(limits.min_notice)
        }
        found.append(Problem("too_soon", message))
    return [*found, *_of_length(venue, limits, period), *_of_seating(venue, period)]


def _of_seating(venue: Venue, period: Period) -> list[Problem]:
    if venue.is_seated(period.starts_at):
        return []
    shifts = ", ".join(
        f"{seating.shift.name} {words.span(seating.period, venue.zone)}"
        for seating in venue.seatings(venue.day_of(period.starts_at))
    )
    message = _("Bookings start in one of these shifts: %(shifts)s.") % {"shifts": shifts}
    return [Problem("no_seating", message)]


def _of_the_rest(venue: Venue, limits: Limits, period: Period, now: datetime) -> list[Problem]:
    """Return what forbids that a booking ends then, whenever it began."""
    if nonsense := of_period(period):
        return nonsense
    return [already_past()] if period.ends_at <= now else _of_length(venue, limits, period)


def last_day(venue: Venue, limits: Limits, now: datetime) -> date:
    """Return the last local day for which bookings are open."""
    return venue.today(now) + timedelta(days=limits.max_days_ahead)


def starts(
    venue: Venue, limits: Limits, duration: timedelta, day: date, now: datetime
) -> list[datetime]:
    """Return the starts on a local day for which `of_time` finds nothing, without its sentences.

    `limits` are those outside shifts; a kind whose shifts have their own asks `starts_of_kind`.
    """
    if not timedelta(0) < duration <= limits.max_duration or duration < limits.min_duration:
        return []
    if duration % limits.step or duration % SLOT:
        return []
    earliest = max(now, now + limits.min_notice)
    latest = venue.calendar_day(last_day(venue, limits, now)).ends_at
    found = venue.starts(day, limits.step)
    return [at for at in found if earliest <= at < latest and is_on_grid(at)]


def starts_of_kind(
    venue: Venue, kind: str, duration: timedelta, day: date, now: datetime
) -> list[datetime]:
    """Return the starts on a local day for which `of_time` finds nothing, in shifts and outside."""
    found = starts(venue, venue.limits(kind), duration, day, now)
    if not venue.has_limited_shifts:
        return found
    return [
        at
        for at in found
        if not of_time(venue, venue.limits(kind, at), Period(at, at + duration), now)
    ]


def _of_length(venue: Venue, limits: Limits, period: Period) -> list[Problem]:
    found = []
    if period.duration < limits.min_duration:
        message = _("The shortest booking is %(time)s.") % {
            "time": words.duration(limits.min_duration)
        }
        found.append(Problem("too_short", message))
    if period.duration > limits.max_duration:
        message = _("The longest booking is %(time)s.") % {
            "time": words.duration(limits.max_duration)
        }
        found.append(Problem("too_long", message))
    elif not venue.is_start(period.starts_at, limits.step) or period.duration % limits.step:
        message = _("Bookings go in steps of %(time)s from opening time.") % {
            "time": words.duration(limits.step)
        }
        found.append(Problem("off_step", message))
    return found


def closed(venue: Venue, period: Period, now: datetime) -> Problem:
    return Problem("closed", _closed_message(venue, period, now))


def _closed_message(venue: Venue, period: Period, now: datetime) -> str:
    day = period.starts_at.astimezone(venue.zone).date()
    openings = venue.openings(day)
    if not openings:
        return _("Closed on %(day)s.") % {"day": words.day(day, venue.today(now))}
    return _("Not open for all of that time. Opening hours that day: %(hours)s.") % {
        "hours": ", ".join(words.span(opening, venue.zone) for opening in openings)
    }


def of_quotas(quotas: tuple[Quota, ...], upcoming: Mapping[str, int] | None) -> list[Problem]:
    if upcoming is None:
        return []
    for quota in quotas:
        count = upcoming.get(quota.kind, 0) if quota.kind else sum(upcoming.values())
        if count >= quota.max_upcoming:
            return [Problem("too_many_upcoming", quota_in_words(quota))]
    return []


@dataclass(frozen=True)
class Deadline:
    """Until when a member may cancel or move a booking. The space's staff have no deadline."""

    regular: datetime  # as long before the start as the space requires
    starts_at: datetime
    made_at: datetime
    grace: timedelta  # how long after that a mistake can be undone, whatever `regular` is

    def is_in_time(self, now: datetime) -> bool:
        return now <= self.regular and now < self.starts_at

    def allows(self, now: datetime) -> bool:
        # Machines' clocks differ: a booking just made may seem to lie in the future.
        is_new = bool(self.grace) and abs(now - self.made_at) <= self.grace
        return is_new or self.is_in_time(now)

    @property
    def until(self) -> datetime:
        """The last instant that either one allows."""
        return max(self.regular, self.made_at + self.grace) if self.grace else self.regular


def deadline(limits: Limits, period: Period, *, made_at: datetime) -> Deadline:
    """Return until when a member may change what was decided at `made_at` for that period.

    Only making a booking starts the grace: otherwise moving it repeatedly would never end it.
    """
    regular = period.starts_at - limits.cancel_deadline
    return Deadline(regular, period.starts_at, made_at, limits.grace)
