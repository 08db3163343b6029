"""The JSON API, put together: `/api/v1/`, its OpenAPI document and its documentation."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.api import problems
from accounts.api.auth import unauthenticated
from accounts.api.problems import ApiProblem, answer
from accounts.api.routes import router as signing_in
from bookings.api.finding import router as finding
from bookings.api.routes import router as bookings
from config.openapi import Document
from spaces.api import router as spaces


class MestoAPI(NinjaAPI):
    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> Document:
        return Document(self, path_prefix or self.get_root_path(path_params or {}))


api = MestoAPI(
    title="Mesto",
    version="1",
    urls_namespace="api",
    description="Books places by time.",
    docs_decorator=require_safe,
)
api.add_router("/auth", signing_in)
api.add_router("", spaces)
api.add_router("", finding)
api.add_router("/bookings", bookings)


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
    """Ninja's own: it raises 400 for a body that is no JSON."""
    assert error.status_code == HTTPStatus.BAD_REQUEST, error
    return answer(ApiProblem(problems.MALFORMED))


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return answer(ApiProblem(problems.TOO_LARGE))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Name each wrong value by its place: `body.starts_at`, `query.party_size`."""
    errors = [{"field": _field(found["loc"]), "message": found["msg"]} for found in error.errors]
    return answer(ApiProblem(problems.INVALID, errors=errors))


def _field(place: Sequence[str | int]) -> str:
    """Ninja names the body twice: by what it is, and by the parameter that takes it."""
    source, *path = place
    return ".".join(str(part) for part in [source, *(path[1:] if source == "body" else path)])


urls = api.urls
for pattern in urls[0]:  # operations ask by themselves who it is
    pattern.callback.login_required = False  # type: ignore[union-attr]
