"""Members as a file, out and in; what a file would change is shown before anything does."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.invitations import TierGone
from accounts.requests import AuthenticatedRequest
from accounts.tries import TooOften
from bookings.deciding import member_sheets
from bookings.deciding.member_sheets import BETWEEN, COLUMNS, Here, Plan
from bookings.deciding.sheets import FileError
from bookings.finding import members
from bookings.finding.shelf import digest_of
from bookings.staff.access import space_managed_by
from bookings.words import spreadsheets
from spaces.models import Space

MOST_BYTES = 1_000_000

#: More lines of a kind than this are counted, not listed.
MOST_LISTED = 100


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text=gettext_lazy("As a spreadsheet saves it, with the columns login, email, tiers."),
    )


class SureForm(forms.Form):
    """The file's lines again, and what was shown of them."""

    lines = forms.CharField(max_length=MOST_BYTES, strip=False)
    shown = forms.CharField(max_length=64)


@never_cache
@require_safe
def staff_members_csv(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Hand out the members, formula-safe; read in again, the file changes nothing."""
    space = space_managed_by(request.user, slug)
    everybody = members.with_tiers(space, members.people_of(space))
    rows = [
        (
            each.user.username,
            each.user.name,
            each.email,
            f"{BETWEEN} ".join(tier.name for tier in each.tiers),
        )
        for each in everybody
    ]
    response = HttpResponse(
        spreadsheets.written([COLUMNS, *rows]), content_type="text/csv; charset=utf-8"
    )
    name = f"{space.slug}-members.csv"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_members_import(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Read a file and show what it would change; then do all of that, or nothing."""
    space = space_managed_by(request.user, slug)
    if request.method != "POST":
        return _page(request, space, FileForm())
    sure = SureForm(request.POST)
    if sure.is_valid():
        return _carry_out(request, space, sure)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, space, form, status=422)
    file = form.cleaned_data["file"]
    if file.size > MOST_BYTES:
        form.add_error("file", _("The file is too large. Split it into several files."))
        return _page(request, space, form, status=422)
    return _show(request, space, form, file.read())


def _show(
    request: AuthenticatedRequest, space: Space, form: FileForm, content: bytes
) -> HttpResponse:
    try:
        lines = member_sheets.read(content)
    except FileError as error:
        form.add_error("file", str(error))
        return _page(request, space, form, status=422)
    plan = _plan(space, lines)
    rows = [COLUMNS, *([values[name] for name in COLUMNS] for _number, values in lines)]
    context: dict[str, Any] = {
        "plan": plan,
        "moves": plan.moves[:MOST_LISTED],
        "invites": plan.invites[:MOST_LISTED],
        "wrong": plan.wrong[:MOST_LISTED],
        "lines": spreadsheets.written(rows).decode("utf-8-sig"),
        "shown": digest_of(plan.told),
    }
    return _page(request, space, form, status=422 if plan.wrong else 200, **context)


def _carry_out(request: AuthenticatedRequest, space: Space, sure: SureForm) -> HttpResponse:
    content = sure.cleaned_data["lines"].encode()
    try:
        plan = _plan(space, member_sheets.read(content))
    except FileError:
        return _show(request, space, FileForm(), content)
    if not plan.is_applicable or digest_of(plan.told) != sure.cleaned_data["shown"]:
        if plan.changes_nothing and not plan.wrong:  # a second press, or somebody was faster
            messages.success(request, _("The members are as in the file."))
            return redirect("staff_tiers", space.slug)
        return _look_again(request, space, content)
    try:
        member_sheets.carry_out(space, plan, by=request.user, now=timezone.now())
    except TooOften as error:
        messages.error(request, str(error))
        response = _show(request, space, FileForm(), content)
        response.status_code = 429
        response["Retry-After"] = str(error.seconds)
        return response
    except TierGone:
        return _look_again(request, space, content)
    messages.success(request, _("The members are as in the file."))
    return redirect("staff_tiers", space.slug)


def _look_again(request: AuthenticatedRequest, space: Space, content: bytes) -> HttpResponse:
    messages.warning(request, _("Something has changed meanwhile: look again."))
    response = _show(request, space, FileForm(), content)
    response.status_code = 409
    return response


def _plan(space: Space, lines: Any) -> Plan:
    here = [
        Here(each.user, each.email, frozenset(tier.pk for tier in each.tiers))
        for each in members.with_tiers(space, members.people_of(space))
    ]
    return member_sheets.plan(space, lines, members=here, now=timezone.now())


def _page(
    request: AuthenticatedRequest, space: Space, form: FileForm, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"space": space, "form": form, **more}
    return render(request, "staff/members_import.html", context, status=status)
