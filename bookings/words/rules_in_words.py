"""A policy as sentences, and its lengths of time as people write and read them."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from spaces.limits import LIMITS
from spaces.models import Policy

A_DAY, AN_HOUR = 1_440, 60

#: “4 h”, “1 h 30 min”, “2 days”, and the same in Russian.
PART = re.compile(
    r"(?P<n>[0-9]{1,6}) *(?:(?P<day>d|days?|дн?|день|дня|дней)"
    r"|(?P<hour>h|hours?|ч|час|часа|часов)|(?P<minute>m|min|minutes?|м|мин|минут[аы]?))(?![^\W\d_])\.?",
    re.IGNORECASE,
)
CLOCK = re.compile("([0-9]{1,4}):([0-5][0-9])")

#: Said by the sentences below; a limit that is newer is named by its column.
SAID = (
    "max_minutes",
    "max_days_ahead",
    "min_minutes",
    "step_minutes",
    "min_notice_minutes",
    "cancel_deadline_minutes",
    "grace_minutes",
    "max_upcoming",
)


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
    return f"{_who(policy)} · {kind}"


def sentences(policy: Policy) -> list[str]:
    """Return what a policy says; what it doesn't limit is left out."""
    said = list(_sentences(policy))
    for name in LIMITS:
        value = getattr(policy, name, None)
        if name not in SAID and value not in (None, "", [], {}, False):
            label = str(getattr(Policy._meta.get_field(name), "verbose_name", name))
            said.append(f"{label[:1].upper()}{label[1:]}: {value}")
    return said or [_("Nothing is limited.")]


def _sentences(policy: Policy) -> Iterator[str]:
    who, longest, ahead = _who(policy), policy.max_minutes, policy.max_days_ahead
    days = ngettext("%(n)d day", "%(n)d days", ahead or 0) % {"n": ahead or 0}
    named = {"who": who, "length": length(longest or 0), "days": days}
    if longest is not None and ahead is not None:
        yield _("%(who)s may book up to %(length)s at a time, %(days)s ahead.") % named
    elif longest is not None:
        yield _("%(who)s may book up to %(length)s at a time.") % named
    elif ahead is not None:
        yield _("%(who)s may book %(days)s ahead.") % named
    if policy.min_minutes is not None:
        yield _("A booking takes at least %(length)s.") % {"length": length(policy.min_minutes)}
    if policy.step_minutes is not None:
        yield _("Times go in steps of %(length)s.") % {"length": length(policy.step_minutes)}
    if policy.min_notice_minutes is not None:
        named = {"length": length(policy.min_notice_minutes)}
        yield _("It is made at least %(length)s before it starts.") % named
    if policy.cancel_deadline_minutes is not None:
        named = {"length": length(policy.cancel_deadline_minutes)}
        yield _("It can be moved or cancelled until %(length)s before it starts.") % named
    if policy.grace_minutes == 0:
        yield _("It can't be undone after booking.")
    elif policy.grace_minutes is not None:
        named = {"length": length(policy.grace_minutes)}
        yield _("It can be undone for %(length)s after booking.") % named
    if policy.max_upcoming is not None:
        yield ngettext(
            "Each has at most %(n)d upcoming booking.",
            "Each has at most %(n)d upcoming bookings.",
            policy.max_upcoming,
        ) % {"n": policy.max_upcoming}


def _who(policy: Policy) -> str:
    if policy.group is not None:
        return _("Members of “%(group)s”") % {"group": policy.group}
    return _("Members")
