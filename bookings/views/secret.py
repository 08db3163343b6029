"""Pages that a secret in their address opens: no cache, no search engine, no other site gets it."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from accounts.requests import PageRequest


def kept_to_itself(response: HttpResponse) -> HttpResponse:
    """Keep an address that opens something out of caches, search engines and other sites' logs.

    With the policy `no-referrer`, browsers would send our own forms with the origin "null", which
    the protection against forged requests rejects (Fetch, 3.2).
    """
    add_never_cache_headers(response)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response


def old_guest_link(request: HttpRequest) -> HttpResponse:
    """Say what to do with a guest's link that opens nothing, whether it ever did."""
    context = {"days": settings.GUESTS["link_days"]}
    return render(request, "bookings/old_guest_link.html", context, status=HTTPStatus.NOT_FOUND)


def old_waiting_link(request: HttpRequest) -> HttpResponse:
    """Say what to do with the link of a party at a door that opens nothing, whether it ever did."""
    return render(request, "bookings/old_waiting_link.html", status=HTTPStatus.NOT_FOUND)


def opened[T](
    find: Callable[..., T | None],
    view: Callable[[PageRequest, str, T], HttpResponse],
    *,
    otherwise: Callable[[HttpRequest], HttpResponse],
) -> Callable[[PageRequest, str], HttpResponse]:
    """Give a view what the secret in its URL opens.

    A secret that is wrong, has expired or was revoked answers in one way, so that nobody learns
    which it was.
    """

    @login_not_required
    @wraps(view)
    def guarded(request: PageRequest, token: str) -> HttpResponse:
        found = find(token, now=timezone.now())
        page = otherwise(request) if found is None else view(request, token, found)
        return kept_to_itself(page)

    return guarded
