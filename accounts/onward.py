"""Where a person wanted to go before a page asked who they are, and what they came for."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import presses, wishes


def wanted(request: HttpRequest) -> dict[str, Any]:
    """Return the context of such a page."""
    back = next_of(request)
    press = presses.waiting_at(request, back)
    lines = press.lines(request.user) if press else []
    return {"next": back, "wish": wishes.of(request), "press": press, "lines": lines}


def next_of(request: HttpRequest) -> str:
    """Return where the person wanted to go, if that is one of our pages."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if ours and url.startswith("/") and not url.startswith(request.path) else ""


def go_on(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(next_of(request) or reverse("home"))


def onward_query(request: HttpRequest) -> dict[str, str]:
    """Return where the person wanted to go and what they came for, for the next page's URL."""
    back, wish = next_of(request), wishes.of(request)
    fields = dict(wish.fields) if wish else {}
    return {**fields, "next": back} if back else fields
