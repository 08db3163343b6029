"""The JSON API, put together: `/api/v1/`, its OpenAPI document and its documentation."""

import re
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone, translation
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.renderers import JSONRenderer

from accounts.api import problems, queries
from accounts.api.auth import unauthenticated
from accounts.api.joining import router as joining
from accounts.api.parsing import StrictParser
from accounts.api.problems import ApiProblem, answer
from accounts.api.requests import ProgramRequest
from accounts.api.routes import router as signing_in
from bookings.api.events import router as events
from bookings.api.finding import router as finding
from bookings.api.routes import router as bookings
from bookings.api.visits import router as visits
from config.openapi import Document, dated
from spaces.api import router as spaces

DESCRIPTION = """\
Mesto books places by time: desks and rooms in coworking spaces, tables in restaurants. Everything a
member can do in the browser, a program can do here; a confirmed booking is yours.

- **Sign in** with `Authorization: Bearer <token>`. A token comes from your tokens page or from
  `POST /auth/token`. The browser's session works too, with its `csrftoken` as `X-CSRFToken`.
- **Instants** are RFC 3339 with an offset, such as `2026-12-01T10:00:00+03:00`. Places are booked
  from `starts_at` up to, not including, `ends_at`, in quarter hours.
- **Errors** are problem documents (RFC 9457) with a stable `code`: [all of them](/api/v1/problems).
- **Retry safely**: with an `Idempotency-Key` a POST is carried out once.
"""


class Renderer(JSONRenderer):
    json_dumps_params = {"ensure_ascii": False}  # legible in a terminal


class MestoAPI(NinjaAPI):
    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> Document:
        """Describe the API, all in English, as most of it is written in the code."""
        document = copy(self._undated(path_prefix or self.get_root_path(path_params or {})))
        document.update(dated(dict(document), timezone.now().date() + timedelta(days=7)))
        return document

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Check the whole request: ninja calls this after authentication, before parsing."""
        queries.require_known(request)
        queries.require_once(request)
        queries.require_no_body(request)
        return super().create_temporal_response(request)

    @cache  # noqa: B019 - there is one API, and it lives as long as the process
    def _undated(self, path_prefix: str) -> Document:
        """Build the document, which is slow; everything but its dates comes from the code."""
        with translation.override(None):
            return Document(self, path_prefix)


api = MestoAPI(
    title="Mesto",
    version="1",
    urls_namespace="api",
    description=DESCRIPTION,
    docs_decorator=require_safe,
    parser=StrictParser(),
    renderer=Renderer(),
)
api.add_decorator(queries.noting, mode="view")
api.add_router("", joining)
api.add_router("/auth", signing_in)
api.add_router("", spaces)
api.add_router("", finding)
api.add_router("/bookings", bookings)
api.add_router("/bookings", visits)
api.add_router("", events)


@api.exception_handler(ApiProblem)
def problem(request: HttpRequest, error: ApiProblem) -> HttpResponse:
    return answer(error)


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return answer(unauthenticated(request))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return answer(ApiProblem(problems.NOT_FOUND))


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Handle ninja's own errors: it raises 400 for a body that isn't JSON."""
    assert error.status_code == HTTPStatus.BAD_REQUEST, error
    return answer(ApiProblem(problems.MALFORMED))


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return answer(ApiProblem(problems.TOO_LARGE))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Name each wrong value by its location: `body.starts_at`, `query.party_size`."""
    known = cast(ProgramRequest, request).known_parameters
    errors = [
        {
            "field": _field(found["loc"], known),
            "message": _message(found),
        }
        for found in error.errors
    ]
    return answer(ApiProblem(problems.INVALID, errors=errors))


def _message(found: Mapping[str, Any]) -> str:
    """Count characters, not items, where pydantic forgets that a checked text is a text."""
    message = str(found["msg"]).removeprefix("Value error, ")
    if found.get("ctx", {}).get("field_type") != "Value":
        return message
    message = message.replace("Value should", "String should").replace(" after validation", "")
    return re.sub(r"\bitem(s?)\b", r"character\1", message)


def _field(place: Sequence[str | int], known: Collection[str]) -> str:
    """Ninja also names bodies, and parameters parsed together, by the argument that takes them."""
    source, *path = place
    if source == "body" or (source == "query" and path and path[0] not in known):
        path = path[1:]
    named = ".".join(map(str, [source, *path]))
    return named.encode(errors="replace").decode()  # a lone surrogate can be a name in JSON


urls = api.urls
for pattern in urls[0]:  # operations authenticate by themselves
    assert isinstance(pattern, URLPattern)
    login_not_required(pattern.callback)
