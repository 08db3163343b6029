"""Pages that a secret in their address opens: no cache, no search engine, no other site gets it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import get_resolver
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from accounts.requests import PageRequest


def opened[T](
    find: Callable[..., T | None], view: Callable[[PageRequest, str, T], HttpResponse]
) -> Callable[[PageRequest, str], HttpResponse]:
    """Give a view what the secret in its URL opens.

    A secret that is wrong, has expired or was revoked answers like an address that never was. No
    cache keeps the page, no search engine lists it, and no other site gets it as the referrer.
    (With `no-referrer`, browsers would send our own forms with the origin "null", which the
    protection against forged requests rejects: Fetch, 3.2.)
    """

    @login_not_required
    @wraps(view)
    def guarded(request: PageRequest, token: str) -> HttpResponse:
        found = find(token, now=timezone.now())
        if found is None:
            handler: Any = get_resolver().resolve_error_handler(404)
            response: HttpResponse = handler(request, exception=None)
        else:
            response = view(request, token, found)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "same-origin"
        return response

    return guarded
