"""Middleware for the whole site."""

import codecs
import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts import lateness
from accounts.api.problems import is_for_programs
from config.errors import method_not_allowed

#: An address as some proxies write it: `203.0.113.7:41000`, `[2001:db8::7]:41000`.
WITH_PORT = re.compile(r"^(?:\[(.+)\]|([\d.]+))(?::\d+)?$")

type Handler = Callable[[HttpRequest], HttpResponse]


def client_address(get_response: Handler) -> Handler:
    """Make REMOTE_ADDR the client's address when TRUSTED_PROXIES of our own are in front.

    Each proxy appends the address it was called from to X-Forwarded-For, so only that many entries
    from the right can be believed; anything to their left was written by the client.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_PROXIES:
            chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            if len(chain) >= settings.TRUSTED_PROXIES and (
                address := chain[-settings.TRUSTED_PROXIES].strip()
            ):
                request.META["REMOTE_ADDR"] = WITH_PORT.sub(r"\1\2", address)
        return get_response(request)

    return middleware


def in_time(get_response: Handler) -> Handler:
    """Answer 503 to a change that nobody waits for any more, before anything is done for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            lateness.require_in_time()
        return get_response(request)

    return middleware


def readable(get_response: Handler) -> Handler:
    """Keep headers that no browser sends away from Django; they would end in a 500.

    Django decodes URLs and forms with whatever encoding Content-Type names, and looks sessions up
    by the content of a quoted cookie, even with NUL bytes that PostgreSQL can't compare.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request.COOKIES = {
            name: value for name, value in request.COOKIES.items() if "\x00" not in value
        }
        named = request.encoding
        if named is not None:
            request.encoding = "utf-8"  # for the page that refuses it
            if codecs.lookup(named).name != "utf-8":
                raise BadRequest("not UTF-8")
        return get_response(request)

    return middleware


def wrong_method_page(get_response: Handler) -> Handler:
    """Give a bare 405 our own page; it keeps its Allow header."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and (
            is_for_programs(request) or not response.content
        ):
            page = method_not_allowed(request)
            page["Allow"] = response["Allow"]
            return page
        return response

    return middleware
