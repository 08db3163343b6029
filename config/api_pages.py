"""What the API's problems mean, as a page. Its other page, with all operations, is ninja's."""

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
    """Explain every code at the address that a problem document's `type` names."""
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
    """Mark what stands in backticks as code."""
    parts = enumerate(text.split("`"))  # each second one stood between two of them
    marked = (format_html('<code lang="zxx">{}</code>', p) if n % 2 else p for n, p in parts)
    return format_html_join("", "{}", ((part,) for part in marked))
