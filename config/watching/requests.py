"""Each request's id, its line in the log, and its numbers."""

import logging
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import watching
from config.watching import database, metrics
from config.watching.logs import OF_REQUESTS

logger = logging.getLogger(OF_REQUESTS)

HEADER = "X-Request-ID"

METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

#: What is asked for every few seconds, and files: counted, but not worth a line each.
QUIET = {"healthz", "readyz", "metrics", "static"}

type Handler = Callable[[HttpRequest], HttpResponse]


def middleware(get_response: Handler) -> Handler:
    """Give a request its id, which the answer, the log and everything it causes will name."""

    def handle(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        request_id = _given(request) or watching.new_id()
        status = 500  # if not even the page that says so can be made
        with watching.caused_by(request_id), _span(request) as span:
            try:
                response = get_response(request)
                status = response.status_code
                response[HEADER] = request_id
                return response
            finally:
                _note(request, status, time.perf_counter() - began, span)

    return handle


def _span(request: HttpRequest) -> AbstractContextManager[Any]:
    """Begin a trace, or continue our own proxy's; its name is known when the page is."""
    if route_of(request)[0] in QUIET:
        return watching.UNTRACED
    given = request.META.get("HTTP_TRACEPARENT", "") if settings.TRUSTED_PROXIES else ""
    parent = given if re.fullmatch(watching.TRACEPARENT, given) else ""
    return watching.span(method_of(request), kind="server", parent=parent)


def _note(request: HttpRequest, status: int, seconds: float, span: Any) -> None:
    name, route = route_of(request)
    method = method_of(request)
    if span is not None:
        span.update_name(f"{method} {name}")
        span.set_attributes({"http.route": route, "http.response.status_code": status})
    metrics.measured(seconds, name, method, status)
    database.tell()
    if name not in QUIET:
        about = {"route": route, "method": method, "status": status}
        logger.info("request", extra={**about, "milliseconds": round(1000 * seconds, 1)})


def _given(request: HttpRequest) -> str:
    """Return the id that our own proxy gave it; anybody else's could be forged, or somebody's."""
    if not settings.TRUSTED_PROXIES:
        return ""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if re.fullmatch(watching.ID, given) else ""


def route_of(request: HttpRequest) -> tuple[str, str]:
    """Return the name and the pattern of what was asked for, never the address itself.

    An address may hold what opens a door; and there are as many as anybody cares to ask for.
    """
    if match := request.resolver_match:
        return match.view_name if match.url_name else match.route, match.route
    path = request.path_info
    if path in ("/healthz", "/readyz", "/metrics"):  # answered before the address is resolved
        return path[1:], path[1:]
    if path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
        return "static", "static"
    return "unmatched", "unmatched"


def method_of(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "OTHER"
