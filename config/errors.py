"""Error pages that look like the rest of the site."""

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import requires_csrf_token

from accounts import watching
from accounts.again import old_form
from accounts.api import problems
from accounts.api.problems import ApiProblem, Kind, answer, is_for_programs

RETRY_AFTER = 5  # seconds; the 503 page reloads by itself
SECRET = re.compile("password|secret", re.IGNORECASE)  # field names

#: What reading a form may raise: it has no boundary, no end, too many fields, too many bytes.
UNREADABLE = (MultiPartParserError, SuspiciousOperation, BadRequest, UnreadablePostError)

logger = logging.getLogger("mesto")

type ErrorPage = Callable[[HttpRequest, Exception], HttpResponse]


def error_page(page: ErrorPage) -> ErrorPage:
    """Prepare a page that may be made before anything has read the form that was sent.

    It looks for the form's token, and must not end in a 500 because there is no reading it. Django
    logs nothing of what breaks an error page, so that is done here.
    """
    with_token = requires_csrf_token(page)

    @wraps(page)
    def made(request: HttpRequest, exception: Exception) -> HttpResponse:
        try:
            _ = request.POST
        except UNREADABLE:
            request._mark_post_parse_error()  # type: ignore[attr-defined]  # not in the stubs
        try:
            return with_token(request, exception)
        except Exception:  # whatever it is: raised again, for Django to answer
            logger.exception("an error page could not be made")
            raise

    return made


def _page(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Answer with one of our pages, or with a problem document for programs."""
    if is_for_programs(request):
        return answer(ApiProblem(kind))
    status = kind.status
    context = {"status": status, "request_id": watching.request_id()}
    response = render(request, f"errors/{status}.html", context, status=status)
    add_never_cache_headers(response)  # its header names the signed-in person
    return response


@error_page
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, problems.MALFORMED)


@error_page
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, problems.FORBIDDEN)


@error_page
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, problems.NOT_FOUND)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form has expired, and keep it ready to submit with one click."""
    if is_for_programs(request):
        return answer(ApiProblem(problems.CSRF_FAILED))
    response = old_form(request)
    add_never_cache_headers(response)
    return response


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    return _page(request, problems.METHOD_NOT_ALLOWED)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say 503 when the database could not be reached: that recovers by itself.

    These two pages don't use the database, so they use no context processors.
    """
    is_down = isinstance(sys.exception(), OperationalError | InterfaceError)
    if is_for_programs(request):
        headers = {"Retry-After": str(RETRY_AFTER)} if is_down else {}
        kind = problems.UNAVAILABLE if is_down else problems.BROKEN
        return answer(ApiProblem(kind, headers=headers))
    if is_down:
        resend = None if request.method in ("GET", "HEAD") else Resend.of(request)
        response = render_alone("errors/503.html", HTTPStatus.SERVICE_UNAVAILABLE, resend=resend)
        response["Retry-After"] = str(RETRY_AFTER)
        return response
    return render_alone("errors/500.html", HTTPStatus.INTERNAL_SERVER_ERROR)


def render_alone(template: str, status: int, **context: Any) -> HttpResponse:
    known = {"status": status, "retry_after": RETRY_AFTER, "request_id": watching.request_id()}
    context = {**known, **context}
    return HttpResponse(render_to_string(template, context), status=status)


@dataclass(frozen=True)
class Resend:
    """A form that was sent while the database was down, ready to be submitted again."""

    fields: list[tuple[str, str]]
    is_whole: bool  # passwords and files never go into a page

    @classmethod
    def of(cls, request: HttpRequest) -> "Resend":
        try:
            sent, files = request.POST, request.FILES
        except UNREADABLE:
            return cls([], is_whole=False)
        fields = [(name, value) for name, values in sent.lists() for value in values]
        return cls(fields, is_whole=not files and not any(SECRET.search(name) for name in sent))

    @property
    def is_harmless(self) -> bool:
        """Tell whether it is carried out only once, however often it is submitted."""
        return any(name == "request_key" for name, _value in self.fields)
