"""What forbids a booking: every reason at once, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings import words
from spaces.limits import Limits, Quota
from spaces.models import Place
from spaces.slots import Period, is_on_grid
from spaces.venue import Venue

#: With one of these it makes no sense to ask whether the space is open.
NONSENSE = {"ends_before_start", "off_grid", "in_the_past", "too_far_ahead", "too_long"}


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
) -> list[Problem]:
    """Return everything that forbids this booking; empty when the rules allow it.

    `upcoming` counts the member's upcoming bookings in this space by kind of place; None when no
    quota applies. Someone who stands at the desk (`walk_in`) may have the step that is running and
    needs no notice. Whether somebody else has the place is not a rule: the database decides that.
    """
    limits = venue.limits(place.kind)
    found = [*_of_place(place, party_size), *of_time(venue, limits, period, now, walk_in=walk_in)]
    if not any(problem.code in NONSENSE for problem in found) and not venue.is_open(
        place.pk, period
    ):
        found = [problem for problem in found if problem.code != "off_step"]
        found.append(Problem("closed", _closed_message(venue, period)))
    return [*found, *_of_quotas(limits.quotas, upcoming)]


def _of_place(place: Place, party_size: int) -> list[Problem]:
    found = []
    if not place.is_bookable or not place.space.is_active:
        found.append(
            Problem("not_bookable", _("%(place)s can't be booked.") % {"place": str(place)})
        )
    if party_size < 1:
        found.append(Problem("party_too_small", _("At least one person has to come.")))
    if party_size > place.capacity:
        found.append(
            Problem(
                "party_too_large",
                ngettext(
                    "%(place)s is for %(n)d person.",
                    "%(place)s is for up to %(n)d people.",
                    place.capacity,
                )
                % {"place": str(place), "n": place.capacity},
            )
        )
    return found


def of_time(
    venue: Venue, limits: Limits, period: Period, now: datetime, *, walk_in: bool = False
) -> list[Problem]:
    """Return what forbids a period for every place with these limits, opening hours left aside."""
    if period.ends_at <= period.starts_at:
        return [Problem("ends_before_start", _("The end must be later than the start."))]
    if not (is_on_grid(period.starts_at) and is_on_grid(period.ends_at)):
        return [Problem("off_grid", _("Times are quarters of an hour: :00, :15, :30 or :45."))]
    is_running = walk_in and now < period.starts_at + limits.step
    if period.starts_at < now and not is_running:
        return [Problem("in_the_past", _("This time is already past."))]
    last_day = venue.today(now) + timedelta(days=limits.max_days_ahead)
    if period.starts_at.astimezone(venue.zone).date() > last_day:
        message = _("Bookings are open until %(day)s.") % {"day": words.day(last_day)}
        return [Problem("too_far_ahead", message)]
    found = []
    if period.starts_at < now + limits.min_notice and not walk_in:
        message = _("Book at least %(time)s before the start.") % {
            "time": words.duration(limits.min_notice)
        }
        found.append(Problem("too_soon", message))
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


def _closed_message(venue: Venue, period: Period) -> str:
    day = period.starts_at.astimezone(venue.zone).date()
    openings = venue.openings(day)
    if not openings:
        return _("Closed on %(day)s.") % {"day": words.day(day)}
    return _("Not open for all of that time. Opening hours that day: %(hours)s.") % {
        "hours": ", ".join(words.span(opening, venue.zone) for opening in openings)
    }


def _of_quotas(quotas: tuple[Quota, ...], upcoming: Mapping[str, int] | None) -> list[Problem]:
    if upcoming is None:
        return []
    for quota in quotas:
        count = upcoming.get(quota.kind, 0) if quota.kind else sum(upcoming.values())
        if count >= quota.max_upcoming:
            return [
                Problem(
                    "too_many_upcoming",
                    ngettext(
                        "A member may have %(n)d upcoming booking here at a time.",
                        "A member may have %(n)d upcoming bookings here at a time.",
                        quota.max_upcoming,
                    )
                    % {"n": quota.max_upcoming},
                )
            ]
    return []


def cancel_until(venue: Venue, place: Place, starts_at: datetime) -> datetime:
    """Return the last instant at which a member may cancel or move a booking."""
    return starts_at - venue.limits(place.kind).cancel_deadline
