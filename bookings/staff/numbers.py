"""What a space's bookings add up to: charts, tables, and the tables as files."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import AuthenticatedRequest
from bookings.finding.numbers import numbers
from bookings.finding.stretch import NAMED, Asked, asked
from bookings.finding.tables import TABLES
from bookings.staff.access import setup_run_by
from bookings.words import spreadsheets
from spaces.setups import Setup


@require_safe
@never_cache
def staff_numbers(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show the numbers of the days that the address names."""
    setup, chosen = _asked(request, slug)
    found = numbers(setup, chosen.days)
    tables = {name: table(found) for name, table in TABLES.items()}
    context = {
        "space": setup.space,
        "chosen": chosen,
        "named": [(name, words) for name, (words, _days) in NAMED.items()],
        "found": found,
        "tables": tables,
        "files": _files(slug, chosen),
        "people": [(day, tally.people) for day, tally in found.days.items()],
        "no_shows": [(day, tally.no_shows) for day, tally in found.days.items()],
        **{name: [(row[0], row[1]) for row in tables[name].rows] for name in BARS},
    }
    status = 422 if chosen.errors else 200
    return render(request, "staff/numbers.html", context, status=status)


#: Tables whose first two columns are drawn as bars.
BARS = ("channels", "ahead", "refusals")


@require_safe
@never_cache
def staff_numbers_csv(request: AuthenticatedRequest, slug: str, table: str) -> HttpResponse:
    """Hand out one of the page's tables as a file."""
    setup, chosen = _asked(request, slug)
    if table not in TABLES or chosen.errors:
        raise Http404
    found = TABLES[table](numbers(setup, chosen.days))
    response = HttpResponse(
        spreadsheets.written([found.head, *found.rows]), content_type="text/csv; charset=utf-8"
    )
    days = chosen.days
    name = f"{setup.space.slug}-{table}-{days.first}-{days.last}.csv"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def _asked(request: AuthenticatedRequest, slug: str) -> tuple[Setup, Asked]:
    setup = setup_run_by(request.user, slug)
    today = timezone.now().astimezone(setup.space.zone).date()
    return setup, asked(request.GET, today)


def _files(slug: str, chosen: Asked) -> dict[str, str]:
    """Return the files' addresses, of the same days."""
    days = chosen.days
    query = {"from": str(days.first), "to": str(days.last)}
    return {name: reverse("staff_numbers_csv", args=[slug, name], query=query) for name in TABLES}
