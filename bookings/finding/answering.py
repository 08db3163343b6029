"""Answers with kept pages: what is unchanged is neither rendered nor sent again."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.cache import (
    add_never_cache_headers,
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)
from django.utils.translation import get_language

from accounts import replica
from accounts.requests import PageRequest
from bookings.finding import kept
from bookings.finding.kept import Page, Reader
from bookings.finding.shelf import digest_of, shelf


@dataclass(frozen=True)
class Part:
    """A template to render. `key` holds everything that the context is made of."""

    template: str
    reader: Reader
    key: Hashable
    context: Callable[[], dict[str, Any]]

    @cached_property
    def digest(self) -> str:
        """A short name for all that is shown, with the sign on a replica's data."""
        as_of = replica.written(replica.as_of()) if replica.is_read() else ""
        return digest_of((self.template, self.reader, get_language(), as_of, self.key))

    def page(self, request: PageRequest, *, is_kept: bool = True) -> Page:
        def make() -> Page:
            return kept.render(request, self.template, self.context(), self.reader)

        return shelf.page(self.digest, make) if is_kept else make()


def url_of(request: HttpRequest) -> tuple[str, str]:
    """Return the address as it was asked for, which links in the page repeat."""
    return request.path, request.META.get("QUERY_STRING", "")


def answer(
    request: PageRequest, around: Part, inside: Part, *, is_kept: bool = True
) -> HttpResponse:
    """Return a page with another inside it, or 304 if the browser has it.

    Messages are shown once: a page that has some is not kept, nor one that isn't `is_kept`.
    """
    is_kept = is_kept and not len(get_messages(request))
    if "CSRF_COOKIE" not in request.META:
        get_token(request)  # a newcomer's secret, which the tag needs
    etag = _etag(request, around, inside)
    if is_kept and (unchanged := get_conditional_response(request, etag)):
        return _revalidated(unchanged, etag)
    page = around.page(request, is_kept=is_kept)
    inner = inside.page(request, is_kept=is_kept)
    response = HttpResponse(kept.fill(request, page, inner))
    if is_kept:
        return _revalidated(response, etag)
    add_never_cache_headers(response)
    return response


def whole(request: PageRequest, part: Part) -> HttpResponse:
    """Return a page that browsers don't keep, and that has nothing of the person but blanks."""
    page = part.page(request, is_kept=not len(get_messages(request)))
    return HttpResponse(kept.fill(request, page))


def _revalidated(response: HttpResponse, etag: str) -> HttpResponse:
    """Let the browser, and nobody else, keep a page that it asks about each time."""
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["Cookie", "HX-Request"])
    return response


def _etag(request: PageRequest, around: Part, inside: Part) -> str:
    """Name what the page shows and, in `newest_booking`, what the person has used its forms for.

    That only grows: without it, a day that looks as before (booked, then cancelled) would bring
    back the old form, whose request key stands for the cancelled booking. The forms' token belongs
    to the cookie's secret.
    """
    user, secret = request.user, request.META.get("CSRF_COOKIE", "")
    whose: tuple[Any, ...] = ()
    if user.is_authenticated:
        whose = (user.pk, user.get_short_name(), user.upcoming_count, user.newest_booking)
    return f'W/"{digest_of((around.digest, inside.digest, whose, secret))}"'
