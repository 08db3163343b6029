"""The page that explains the API's problems. The other page, with all operations, is ninja's."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.api.problems import KINDS
from bookings.deciding.rules import REASONS


@login_not_required
@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """Explain every code at the address in a problem document's `type`."""
    kinds = [
        {
            "code": kind.code,
            "status": int(kind.status),
            "title": kind.title,
            "meaning": with_code(str(kind.meaning)),
        }
        for kind in KINDS.values()
    ]
    return render(request, "api/problems.html", {"kinds": kinds, "reasons": REASONS.items()})


def with_code(text: str) -> SafeString:
    """Mark up text in backticks as code."""
    parts = enumerate(text.split("`"))  # every second part was between backticks
    marked = (format_html('<code lang="zxx">{}</code>', p) if n % 2 else p for n, p in parts)
    return format_html_join("", "{}", ((part,) for part in marked))
