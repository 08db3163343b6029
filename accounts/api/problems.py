"""Errors as programs get them: problem documents (RFC 9457) with a stable `code`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.api.schemas import Problem

CONTENT_TYPE = "application/problem+json"
ROOT = "/api/"


@dataclass(frozen=True)
class Kind:
    """One kind of problem. `title` is always the same; the specifics are in `detail`."""

    code: str
    status: HTTPStatus
    title: str | Promise
    meaning: str | Promise  # what to do about it, for the documentation
    shape: type[Problem] = Problem  # which members it has
    sample: Mapping[str, Any] = field(default_factory=dict, hash=False)  # for its own members


#: Every kind of problem, in the order of the documentation.
KINDS: dict[str, Kind] = {}


def kind(
    code: str,
    status: HTTPStatus,
    title: str | Promise,
    meaning: str | Promise,
    shape: type[Problem] = Problem,
    sample: Mapping[str, Any] | None = None,
) -> Kind:
    KINDS[code] = made = Kind(code, status, title, meaning, shape, sample or {})
    return made


MALFORMED = kind(
    "malformed",
    HTTPStatus.BAD_REQUEST,
    _("The request can’t be read."),
    _("The body is not JSON in UTF-8, or a header or the address is broken."),
)
INVALID = kind(
    "invalid",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    _("A value is missing or wrong."),
    _("`errors` names each field and says what is wrong with it. Nothing was changed."),
    sample={"errors": [{"field": "body.party_size", "message": "Input should be a valid integer"}]},
)
UNAUTHENTICATED = kind(
    "unauthenticated",
    HTTPStatus.UNAUTHORIZED,
    _("Sign in first."),
    _("Send `Authorization: Bearer <token>`. An expired, revoked or misspelt token doesn’t count."),
)
WRONG_CREDENTIALS = kind(
    "wrong_credentials",
    HTTPStatus.UNAUTHORIZED,
    _("Login or password is wrong."),
    _("Wrong attempts count together with those on the login page."),
)
PASSCODE_NEEDED = kind(
    "passcode_needed",
    HTTPStatus.UNAUTHORIZED,
    _("This account has a second factor."),
    _("Send `passcode` too: six digits from the authenticator app, or a recovery code."),
)
SECOND_FACTOR_REQUIRED = kind(
    "second_factor_required",
    HTTPStatus.FORBIDDEN,
    _("Your role needs a second factor."),
    _("Set one up in your profile on the site. Tokens that you have keep working."),
)
CSRF_FAILED = kind(
    "csrf_failed",
    HTTPStatus.FORBIDDEN,
    _("The form’s token is missing."),
    _(
        "If you are signed in by cookie, send the cookie `csrftoken` as `X-CSRFToken` with "
        "every change."
    ),
)
READ_ONLY_TOKEN = kind(
    "read_only_token",
    HTTPStatus.FORBIDDEN,
    _("This token may only read."),
    _("Use a token with the scope BOOK or WRITE; `missing_scope` says which verb is missing."),
    sample={"missing_scope": "book"},
)
MISSING_SCOPE = kind(
    "missing_scope",
    HTTPStatus.FORBIDDEN,
    _("This token may not do that."),
    _(
        "`missing_scope` names what it lacks: a verb (`book`, `manage`), or `space:<slug>` where "
        "it is limited to another space. Make a token that has it."
    ),
    sample={"missing_scope": "space:tverskaya"},
)
FORBIDDEN = kind(
    "forbidden",
    HTTPStatus.FORBIDDEN,
    _("You may not do this."),
    _("Only the staff of the space may. Asking again won’t help."),
)
NOT_FOUND = kind(
    "not_found",
    HTTPStatus.NOT_FOUND,
    _("Not found."),
    _(
        "There is nothing at this address that you can see; what belongs to others counts as "
        "missing."
    ),
)
METHOD_NOT_ALLOWED = kind(
    "method_not_allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    _("This address doesn’t do that."),
    _("The header `Allow` lists the methods that it knows."),
)
TOO_LARGE = kind(
    "too_large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    _("The request is too large."),
    _("A body may have up to 2.5 MB."),
)
STILL_RUNNING = kind(
    "still_running",
    HTTPStatus.CONFLICT,
    _("The first request with this key is still running."),
    _("Send the same request again after `Retry-After` seconds: it gets the first one’s answer."),
)
KEY_REUSED = kind(
    "idempotency_key_reused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    _("This key was used for another request."),
    _("An `Idempotency-Key` belongs to one request for a day. Make a new key for new content."),
)
LOGIN_TAKEN = kind(
    "login_taken",
    HTTPStatus.CONFLICT,
    _("This login is taken."),
    _("Choose another."),
)
LOGIN_LOOKS_TAKEN = kind(
    "login_looks_taken",
    HTTPStatus.CONFLICT,
    _("This login looks like one that is taken."),
    _("Choose one that differs more."),
)
LOGIN_MIXES_SCRIPTS = kind(
    "login_mixes_scripts",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    _("This login mixes letters of different alphabets."),
    _("Use one alphabet."),
)
TOO_MANY_TOKENS = kind(
    "too_many_tokens",
    HTTPStatus.CONFLICT,
    _("You have too many tokens."),
    _("Revoke some on the tokens page, or let them expire."),
)
TOO_MANY_REQUESTS = kind(
    "too_many_requests",
    HTTPStatus.TOO_MANY_REQUESTS,
    _("Too many requests."),
    _("Wait `Retry-After` seconds. The header `RateLimit` says how many are left."),
)
LOGIN_LOCKED = kind(
    "login_locked",
    HTTPStatus.TOO_MANY_REQUESTS,
    _("Too many wrong passwords."),
    _("This login, or this address, is closed for `Retry-After` seconds, on the login page too."),
)
BROKEN = kind(
    "server_error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    _("Something broke on our side."),
    _("It is logged. With an `Idempotency-Key` you may safely send the same request again."),
)
UNAVAILABLE = kind(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    _("The database can’t be reached."),
    _("It usually recovers by itself: ask again after `Retry-After` seconds."),
)


class ApiProblem(Exception):
    """Raised anywhere under an operation; becomes the answer. `extra` has further members."""

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or str(kind.title))
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


def document(problem: ApiProblem) -> dict[str, Any]:
    """Return the problem document; members without a value are left out.

    Without a detail of its own it says what to do about its kind: RFC 9457, 3.1.4.
    """
    return {
        "type": f"/api/v1/problems#{problem.kind.code}",
        "title": str(problem.kind.title),
        "status": int(problem.kind.status),
        "detail": problem.detail or f"{problem.kind.title} {problem.kind.meaning}",
        "code": problem.kind.code,
        **{name: value for name, value in problem.extra.items() if value is not None},
    }


def answer(problem: ApiProblem) -> HttpResponse:
    return JsonResponse(
        document(problem),
        json_dumps_params={"ensure_ascii": False},  # legible in a terminal
        status=problem.kind.status,
        headers={"Cache-Control": "no-store", **problem.headers},
        content_type=CONTENT_TYPE,
    )


def is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(ROOT)


#: Which kinds an operation may return besides the common ones.
RAISED: dict[Callable[..., Any], tuple[Kind, ...]] = {}


def raises[F: Callable[..., Any]](*kinds: Kind) -> Callable[[F], F]:
    """Record which problems an operation may return, for the OpenAPI document."""

    def note(view: F) -> F:
        RAISED[view] = kinds
        return view

    return note
