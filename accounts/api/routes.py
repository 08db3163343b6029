"""Signing in, for programs: `/auth/token`."""

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from http import HTTPStatus
from json import dumps, loads
from typing import Annotated

from django.contrib.auth import authenticate, user_logged_in
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import Field, Strict

from accounts import tokens, tries
from accounts.addresses import address_of
from accounts.api import idempotency, scopes
from accounts.api.limits import spend_try
from accounts.api.problems import (
    INVALID,
    LOGIN_LOCKED,
    PASSCODE_NEEDED,
    SECOND_FACTOR_REQUIRED,
    TOO_MANY_REQUESTS,
    TOO_MANY_TOKENS,
    WRONG_CREDENTIALS,
    ApiProblem,
    raises,
)
from accounts.api.requests import ProgramRequest
from accounts.api.schemas import Input, Text
from accounts.models import ApiToken, User
from accounts.second import services

router = Router(tags=["Signing in"])


class Credentials(Input):
    username: Annotated[Text, Field(max_length=150, description="The login.", examples=["member"])]
    password: Annotated[
        Text, Field(max_length=4096, description="The password.", examples=["mesto-demo"])
    ]
    passcode: Annotated[
        Text,
        Field(
            max_length=40,
            description="From people with a second factor: a code from the app, or a recovery "
            "code.",
            examples=["123456"],
        ),
    ] = ""
    name: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=60,
            description="What the token is for; its owner sees it on the tokens page.",
            examples=["Door tablet"],
        ),
    ] = "API"
    scope: Annotated[
        ApiToken.Scope,
        Field(
            description="READ can only read; BOOK can also book, move and cancel for its owner; "
            "WRITE can do all that its owner may, also for the staff of a space."
        ),
    ] = ApiToken.Scope.WRITE
    space: Annotated[
        Text | None,
        Field(
            max_length=50,
            description="The slug of the only space it is for; without, all.",
            examples=["tverskaya"],
        ),
    ] = None
    days: Annotated[
        int,
        Strict(),
        Field(ge=1, le=365, description="How many days the token is valid.", examples=[30]),
    ] = 30


class TokenOut(Schema):
    token: Annotated[
        str,
        Field(
            description="Send it as `Authorization: Bearer <token>`. It is shown only here.",
            examples=["mesto_5GkZ0mX3Vt8…"],
        ),
    ]
    token_type: Annotated[str, Field(description="Always `Bearer`.", examples=["Bearer"])]
    scope: Annotated[ApiToken.Scope, Field(description="What it can do.")]
    space: Annotated[
        str | None,
        Field(description="The only space it is for; null: all.", examples=["tverskaya"]),
    ]
    expires_at: Annotated[
        datetime, Field(description="An instant, RFC 3339.", examples=["2026-12-25T06:30:00Z"])
    ]


@router.post(
    "/token",
    response={201: TokenOut},
    auth=None,
    operation_id="createToken",
    summary="Sign in: login and password for a token",
)
@raises(
    WRONG_CREDENTIALS,
    PASSCODE_NEEDED,
    SECOND_FACTOR_REQUIRED,
    LOGIN_LOCKED,
    TOO_MANY_TOKENS,
    TOO_MANY_REQUESTS,
)
@idempotency.accepts_key
def create_token(request: ProgramRequest, body: Credentials) -> object:
    """Wrong passwords count together with those on the login page, and lock it for a while."""
    now = timezone.now()
    spend_try("token", now=now, address=address_of(request))
    user = authenticate(request, username=body.username, password=body.password)
    if not isinstance(user, User):
        raise ApiProblem(WRONG_CREDENTIALS, headers={"WWW-Authenticate": 'Bearer realm="Mesto"'})
    _require_second_factor(request, user, body.passcode, now)
    spend_try("token", now=now, login=user.username)  # not earlier: strangers would use it up
    user_logged_in.send(User, request=request, user=user)  # forgets the mistyped ones before it
    claim = idempotency.begin(request, user)
    space = _space(body.space)
    text = ""
    if claim is not None:  # the same request gets the same token, though it isn't stored
        secret = urlsafe_b64encode(idempotency.derived(claim, "accounts.api.token"))
        claim.secret = text = tokens.PREFIX + secret.decode().rstrip("=")
        if claim.answer is not None:
            kept = loads(claim.answer.content)
            if "token" in kept:
                claim.answer.content = dumps({**kept, "token": text}).encode()
            return claim.answer
    try:
        token, text = tokens.issue(
            user,
            name=body.name,
            scope=body.scope,
            space=space,
            expires_at=now + timedelta(days=body.days),
            now=now,
            code=claim.row.code if claim is not None else None,
            text=text,
        )
    except tokens.AlreadyMade as earlier:  # by this same request, before it could answer
        token = earlier.token
    except tokens.TooManyTokens as error:
        raise ApiProblem(TOO_MANY_TOKENS, str(error)) from error
    shown = {
        "token_type": "Bearer",
        "scope": token.scope,
        "space": body.space,
        "expires_at": token.expires_at,
    }
    return Status(HTTPStatus.CREATED, {"token": text, **shown})


def _require_second_factor(
    request: ProgramRequest, user: User, passcode: str, now: datetime
) -> None:
    """Refuse a password alone where the site wouldn't sign its owner in either."""
    if services.is_missing(user):
        raise ApiProblem(SECOND_FACTOR_REQUIRED)
    if user.second_factor_at is None:
        return
    if not passcode:
        raise ApiProblem(PASSCODE_NEEDED, headers={"WWW-Authenticate": 'Bearer realm="Mesto"'})
    spend_try("code", now=now, login=user.username, address=address_of(request))
    if not services.accepts(user, passcode, now=now):
        detail = _("This code is wrong, or was used already.")
        headers = {"WWW-Authenticate": 'Bearer realm="Mesto"'}
        raise ApiProblem(PASSCODE_NEEDED, detail, headers=headers)
    tries.forget("code", login=user.username)


def _space(slug: str | None) -> Model | None:
    """Return the space that the token is limited to. Raises ApiProblem."""
    if slug is None:
        return None
    space = scopes.space_called(slug)
    if space is None:
        error = {"field": "body.space", "message": _("There is no such space.")}
        raise ApiProblem(INVALID, errors=[error])
    return space
