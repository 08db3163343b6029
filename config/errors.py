"""Errors are pages of the house."""

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import requires_csrf_token

from accounts.again import old_form
from accounts.api import problems
from accounts.api.problems import ApiProblem, Kind, answer, is_for_programs

RETRY_AFTER = 5  # seconds; the 503 page asks again by itself


def _page(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Answer with a page of the house, or with a problem document where programs ask."""
    if is_for_programs(request):
        return answer(ApiProblem(kind))
    status = kind.status
    response = render(request, f"errors/{status}.html", {"status": status}, status=status)
    add_never_cache_headers(response)  # its frame names who is signed in
    return response


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, problems.MALFORMED)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, problems.FORBIDDEN)


@requires_csrf_token
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, problems.NOT_FOUND)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form has grown old, and hold it ready to be sent by one press."""
    if is_for_programs(request):
        return answer(ApiProblem(problems.CSRF_FAILED))
    response = old_form(request)
    add_never_cache_headers(response)
    return response


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    return _page(request, problems.METHOD_NOT_ALLOWED)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Say 503 when it was the database that could not be reached: that mends itself.

    These two pages ask nothing of the database, so they use no context processors.
    """
    is_down = isinstance(sys.exception(), OperationalError | InterfaceError)
    if is_for_programs(request):
        headers = {"Retry-After": str(RETRY_AFTER)} if is_down else {}
        kind = problems.UNAVAILABLE if is_down else problems.BROKEN
        return answer(ApiProblem(kind, headers=headers))
    if is_down:
        response = render_alone("errors/503.html", HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(RETRY_AFTER)
        return response
    return render_alone("errors/500.html", HTTPStatus.INTERNAL_SERVER_ERROR)


def render_alone(template: str, status: int) -> HttpResponse:
    context = {"status": status, "retry_after": RETRY_AFTER}
    return HttpResponse(render_to_string(template, context), status=status)
