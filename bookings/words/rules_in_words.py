"""A policy as sentences, and its lengths of time as people write and read them."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from spaces.models import Policy

A_DAY, AN_HOUR = 1_440, 60

#: “4 h”, “1 h 30 min”, “2 days”, and the same in Russian.
PART = re.compile(
    r"(?P<n>[0-9]{1,6}) *(?:(?P<day>d|days?|дн?|день|дня|дней)"
    r"|(?P<hour>h|hours?|ч|час|часа|часов)|(?P<minute>m|min|minutes?|м|мин|минут[аы]?))(?![^\W\d_])\.?",
    re.IGNORECASE,
)
CLOCK = re.compile("([0-9]{1,4}):([0-5][0-9])")


def length(minutes: int) -> str:
    """Write minutes as «4 h», «1 h 30 min» or «2 days»."""
    if minutes and minutes % A_DAY == 0:
        days = minutes // A_DAY
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    hours, rest = divmod(minutes, AN_HOUR)
    parts = []
    if hours:
        parts.append(_("%(n)d h") % {"n": hours})
    if rest or not hours:
        parts.append(_("%(n)d min") % {"n": rest})
    return " ".join(parts)


def read_length(text: str) -> int:
    """Read «4 h», «1 h 30 min», «1:30», «2 days» into minutes. Raises ValueError."""
    text = text.replace(",", " ").strip()
    if clock := CLOCK.fullmatch(text):
        return int(clock[1]) * AN_HOUR + int(clock[2])
    found, total, rest = list(PART.finditer(text)), 0, PART.sub("", text).strip()
    if not found or rest:
        raise ValueError(text)
    for part in found:
        worth = A_DAY if part["day"] else AN_HOUR if part["hour"] else 1
        total += int(part["n"]) * worth
    return total


def title(policy: Policy) -> str:
    """Say whom and what a policy is about."""
    kind = policy.get_kind_display().capitalize() if policy.kind else _("Every kind of place")
    shift = [policy.shift.name] if policy.shift is not None else []
    return " · ".join([_who(policy), kind, *shift])


def sentences(policy: Policy) -> list[str]:
    """Return what a policy says; what it doesn't limit is left out."""
    said = [*_how_much(policy), *_when(policy), *_coming(policy)] or [_("Nothing is limited.")]
    if policy.shift is not None:
        named = {"shift": policy.shift.name}
        said.insert(0, _("Only for bookings in the shift “%(shift)s”.") % named)
    return said


def _how_much(policy: Policy) -> Iterator[str]:
    longest, a_day, ahead = policy.max_minutes, policy.max_minutes_per_day, policy.max_days_ahead
    named = {
        "who": _who(policy),
        "length": length(longest or 0),
        "a_day": length(a_day or 0),
        "days": _days(ahead or 0),
    }
    if a_day is not None and ahead is not None:
        yield _("%(who)s may book up to %(a_day)s a day, %(days)s ahead.") % named
    elif a_day is not None:
        yield _("%(who)s may book up to %(a_day)s a day.") % named
    if longest is not None and ahead is not None and a_day is None:
        yield _("%(who)s may book up to %(length)s at a time, %(days)s ahead.") % named
    elif longest is not None:
        yield _("%(who)s may book up to %(length)s at a time.") % named
    elif ahead is not None and a_day is None:
        yield _("%(who)s may book %(days)s ahead.") % named
    if policy.min_minutes is not None:
        yield _("A booking takes at least %(length)s.") % {"length": length(policy.min_minutes)}
    if policy.step_minutes is not None:
        yield _("Times go in steps of %(length)s.") % {"length": length(policy.step_minutes)}
    if policy.max_upcoming is not None:
        yield ngettext(
            "Each has at most %(n)d upcoming booking.",
            "Each has at most %(n)d upcoming bookings.",
            policy.max_upcoming,
        ) % {"n": policy.max_upcoming}


def _when(policy: Policy) -> Iterator[str]:
    if policy.min_notice_minutes is not None:
        named = {"length": length(policy.min_notice_minutes)}
        yield _("A booking is made at least %(length)s before it starts.") % named
    if policy.cancel_deadline_minutes is not None:
        named = {"length": length(policy.cancel_deadline_minutes)}
        yield _("A booking can be moved or cancelled until %(length)s before it starts.") % named
    if policy.grace_minutes == 0:
        yield _("A booking can’t be undone once it is made.")
    elif policy.grace_minutes is not None:
        named = {"length": length(policy.grace_minutes)}
        yield _("A booking can be undone for %(length)s after it is made.") % named


def _coming(policy: Policy) -> Iterator[str]:
    if policy.check_in_opens_minutes is not None:
        named = {"length": length(policy.check_in_opens_minutes)}
        yield _("Check-in opens %(length)s before the start.") % named
    if policy.release_after_minutes is not None:
        named = {"length": length(policy.release_after_minutes)}
        yield _("The place is released %(length)s after the start if nobody has checked in.") % (
            named
        )
    if policy.max_no_shows is not None or policy.no_show_days is not None:
        missed = policy.max_no_shows or 0
        named = {
            "no_shows": ngettext("%(n)d no-show", "%(n)d no-shows", missed) % {"n": missed},
            "days": _days(policy.no_show_days or 0),
        }
        yield _("After %(no_shows)s in %(days)s a member can’t book for a while.") % named


def _days(n: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}


def _who(policy: Policy) -> str:
    if (audience := policy.tier or policy.group) is not None:
        return _("Members of “%(group)s”") % {"group": audience}
    return _("Members")
