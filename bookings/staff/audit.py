"""The audit: who did what in a space, when, and from where; for its managers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.factors import FactorEvent
from accounts.joining import AuditEntry, TeamEvent
from accounts.models import User
from accounts.requests import AuthenticatedRequest
from bookings.finding import audit
from bookings.finding.audit import Asked, Cursor, Row
from bookings.models import BookingEvent
from bookings.staff.access import space_managed_by
from bookings.staff.trail import sentence
from bookings.words import spreadsheets
from bookings.words.local_time import LocalTimeError, read_day
from spaces.models import Space

#: Lines on a page, and in a file.
MOST, MOST_IN_FILE = 50, 10_000
#: What is shown before anybody asks for more: a busy site writes a lot in a year.
USUAL = timedelta(days=30)

TOPICS = [
    ("", gettext_lazy("Everything")),
    (audit.SIGN_INS, gettext_lazy("Sign-ins")),
    (audit.RIGHTS, gettext_lazy("Rights")),
    (audit.SET_UP, gettext_lazy("Set-up")),
    (audit.BOOKINGS, gettext_lazy("Bookings")),
]
#: What a page changes, by the beginning of its name.
PAGES = {
    "staff_rule": gettext_lazy("Rules"),
    "staff_holidays": gettext_lazy("Holidays"),
    "staff_tier": gettext_lazy("Members"),
    "staff_member": gettext_lazy("Members"),
    "staff_door": gettext_lazy("Screens"),
    "staff_guest": gettext_lazy("Guests"),
    "staff_setup": gettext_lazy("A new space"),
    "webhook": gettext_lazy("Webhooks"),
    "delivery": gettext_lazy("Webhooks"),
    "tokens": gettext_lazy("API tokens"),
    "revoke": gettext_lazy("API tokens"),
    "email": gettext_lazy("E-mail"),
    "confirm_email": gettext_lazy("E-mail"),
    "passkey": gettext_lazy("Passkeys"),
    "sessions": gettext_lazy("Where you are signed in"),
    "admin:accounts_featureflag": gettext_lazy("Feature flags"),
    "admin:": gettext_lazy("Admin"),
    "owner": gettext_lazy("The site’s owner"),
    "command:": gettext_lazy("At the server"),
}


class DayField(forms.DateField):
    """A day as pickers write it. Django would take digits of any script."""

    def to_python(self, value: Any) -> date | None:
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        try:
            return read_day(value)
        except LocalTimeError as error:
            raise forms.ValidationError(str(error)) from error


class AskForm(forms.Form):
    """What to show; whatever can't be read is left out."""

    topic = forms.ChoiceField(choices=TOPICS, required=False, label=gettext_lazy("What"))
    q = forms.CharField(required=False, max_length=150, label=gettext_lazy("Name or word"))
    since = DayField(required=False, label=pgettext_lazy("days", "From"), widget=forms.DateInput)
    until = DayField(required=False, label=pgettext_lazy("days", "To"), widget=forms.DateInput)


@dataclass(frozen=True)
class Line:
    """One line: when, who, what, and from where as far as it is known."""

    at: datetime
    who: str
    what: str
    where: str
    space: str = ""
    url: str = ""


@require_safe
@never_cache
def staff_audit(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show what happened in one space."""
    space = space_managed_by(request.user, slug)
    return _page(request, space)


@require_safe
@never_cache
def staff_audit_csv(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    return _file(request, space_managed_by(request.user, slug))


@require_safe
@never_cache
def staff_audit_all(request: AuthenticatedRequest) -> HttpResponse:
    """Show what happened on the whole site, for superusers."""
    _only_superusers(request)
    return _page(request, None)


@require_safe
@never_cache
def staff_audit_all_csv(request: AuthenticatedRequest) -> HttpResponse:
    _only_superusers(request)
    return _file(request, None)


def _only_superusers(request: AuthenticatedRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied


def _page(request: AuthenticatedRequest, space: Space | None) -> HttpResponse:
    form, asked = _asked(request, space)
    after = Cursor.read(request.GET.get("after", ""))
    rows, older = audit.rows(asked, after=after, most=MOST)
    query = request.GET.copy()
    query.pop("after", None)
    file = (
        reverse("staff_audit_csv", args=[space.slug]) if space else reverse("staff_audit_all_csv")
    )
    context = {
        "frame": "staff/_frame.html" if space else "base.html",
        "space": space,
        "zone": _zone(space),
        "form": form,
        "lines": lines_of(rows),
        "older": f"?{_with(query, str(older))}" if older else "",
        "is_first": after is None,
        "first": f"?{query.urlencode()}",
        "file": f"{file}?{query.urlencode()}",
    }
    return render(request, "staff/audit.html", context)


def _with(query: Any, after: str) -> str:
    found = query.copy()
    found["after"] = after
    text: str = found.urlencode()
    return text


def _file(request: AuthenticatedRequest, space: Space | None) -> HttpResponse:
    """Write the same as a table, which a spreadsheet opens without running anything in it."""
    _form, asked = _asked(request, space)
    zone = _zone(space)
    head = (_("When"), _("Who"), _("What"), _("From where"), _("Space"))
    table = spreadsheets.written([head, *_table(asked, zone)])
    response = HttpResponse(table, content_type="text/csv; charset=utf-8")
    name = f"{space.slug if space else 'mesto'}-audit.csv"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def _table(asked: Asked, zone: tzinfo) -> Iterator[tuple[str, ...]]:
    rows, _older = audit.rows(asked, after=None, most=MOST_IN_FILE)
    for line in lines_of(rows):
        at = line.at.astimezone(zone).isoformat(timespec="seconds")
        yield at, line.who, line.what, line.where, line.space


def _asked(request: AuthenticatedRequest, space: Space | None) -> tuple[AskForm, Asked]:
    zone = _zone(space)
    usual = str((timezone.now() - USUAL).astimezone(zone).date())
    form = AskForm({"since": usual, **request.GET.dict()})
    form.is_valid()
    found = form.cleaned_data
    since, until = found.get("since"), found.get("until")
    return form, Asked(
        space=space,
        topic=found.get("topic") or "",
        text=found.get("q") or "",
        since=datetime.combine(since, time(), zone) if since else None,
        until=datetime.combine(until + timedelta(days=1), time(), zone) if until else None,
    )


def _zone(space: Space | None) -> ZoneInfo:
    return space.zone if space is not None else ZoneInfo("UTC")


# --- In words -------------------------------------------------------------------------------------


def lines_of(rows: list[Row]) -> list[Line]:
    found = audit.where_from(rows)
    return [line_of(row, found.get((row.request_id, row.actor_id))) for row in rows]


def line_of(row: Row, entry: AuditEntry | None) -> Line:
    """Put a row into words; from where is in the audit's own line of its request."""
    if isinstance(row, TeamEvent):
        return Line(row.at, _who(row.actor), sentence(row), _where(entry), row.space.name)
    if isinstance(row, BookingEvent):
        return _of_booking(row, _where(entry))
    if isinstance(row, FactorEvent):
        return _of_factor(row, _where(entry))
    return _of_entry(row)


def _where(entry: AuditEntry | None) -> str:
    return _joined(entry.address, entry.device) if entry is not None else ""


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _of_factor(event: FactorEvent, where: str) -> Line:
    """Name whose account it is, when somebody else did it; nobody is the server's operator."""
    words = str(event.get_kind_display())
    is_own = event.actor_id == event.user_id
    return Line(
        event.at, _who(event.actor), words if is_own else f"{words}: {_who(event.user)}", where
    )


def _of_booking(event: BookingEvent, where: str) -> Line:
    booking = event.booking
    space = booking.place.space
    starts = datetime.fromisoformat(event.data["starts_at"])
    person = booking.member.get_full_name() if booking.member else booking.guest_name
    said = f"{event.get_kind_display()}: {booking.place}, {starts:%Y-%m-%d %H:%M}, {person}"
    return Line(
        event.at,
        _("The guest") if event.by_guest else _who(event.actor),
        f"{said}. {event.reason}" if event.reason else said,
        _joined(str(booking.get_channel_display()) if event.sequence == 1 else "", where),
        space.name,
        reverse("staff_booking", args=[space.slug, booking.code]),
    )


def _of_entry(entry: AuditEntry) -> Line:
    words = str(entry.get_kind_display())
    if page := _page_named(entry.what):
        words = f"{words}: {page}"
    return Line(
        entry.at,
        _who(entry.actor),
        words,
        _where(entry),
        entry.space.name if entry.space_id and entry.space else "",
    )


def _page_named(what: str) -> str:
    """Return what was changed: the page in words, or the admin's page and row."""
    found = max((name for name in PAGES if what.startswith(name)), key=len, default="")
    if not found:
        return what
    detail = what.removeprefix(found) if found in ("admin:", "command:") else ""
    return f"{PAGES[found]} {detail}".strip()


def _who(user: User | None) -> str:
    if user is None:
        return _("The house")
    return _("somebody who is gone") if user.is_erased else user.get_full_name()
