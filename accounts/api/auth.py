"""Who is asking: a bearer token (RFC 6750), or the browser's session with its CSRF token."""

from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.security import HttpBearer, SessionAuth
from ninja.utils import check_csrf

from accounts import tokens
from accounts.api import limits, scopes
from accounts.api.problems import (
    CSRF_FAILED,
    SECOND_FACTOR_REQUIRED,
    UNAUTHENTICATED,
    ApiProblem,
)
from accounts.api.requests import ProgramRequest
from accounts.models import User
from accounts.second import services


class Token(HttpBearer):
    """A token from the page `/accounts/tokens/`, or from `POST /auth/token`."""

    openapi_description = "A token from your tokens page, or from `POST /auth/token`."

    def __call__(self, request: HttpRequest) -> Any | None:
        """Refuse a header without a valid token; without a header, try the session."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _space, text = header.partition(" ")
        return self.authenticate(request, text.strip() if scheme.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> User:
        found = tokens.find(token, now=timezone.now()) if token else None
        if found is None:
            raise unauthenticated(request)
        limits.spend(cast(ProgramRequest, request), "token", str(found.pk))
        scopes.begin(request, found)
        request.user = found.user
        return found.user


class Session(SessionAuth):
    """The cookie of somebody who is signed in on the site."""

    openapi_description = (
        "The session of the person signed in on the site; this page uses it automatically. Changes "
        "need the cookie `csrftoken` as `X-CSRFToken` too."
    )

    def __call__(self, request: HttpRequest) -> User | None:
        user = request.user
        if not isinstance(user, User):
            return None
        if request.method == "POST":
            _ = request.body  # looking for a CSRF token in a multipart form would consume it
        if check_csrf(request) is not None:
            raise ApiProblem(CSRF_FAILED)
        if services.is_missing(user):
            raise ApiProblem(SECOND_FACTOR_REQUIRED)
        limits.spend(cast(ProgramRequest, request), "session", str(user.pk))
        return user


def anyone(request: HttpRequest) -> User | AnonymousUser:
    """Let visitors in; a token or a session still identifies people."""
    return cast(ProgramRequest, request).user


def unauthenticated(request: HttpRequest) -> ApiProblem:
    """Say how to sign in (RFC 6750, section 3)."""
    challenge = 'Bearer realm="Mesto"'
    detail = _("This needs a token, or a session.")
    if "Authorization" in request.headers:
        challenge += ', error="invalid_token"'
        detail = _("This token has expired, was revoked or isn’t one of ours.")
    return ApiProblem(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})


SIGNED_IN = [Token(), Session()]
PUBLIC = [*SIGNED_IN, anyone]
