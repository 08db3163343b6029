"""Signing in, for programs: `/auth/token`."""

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from http import HTTPStatus
from json import dumps, loads
from typing import Annotated

from django.contrib.auth import authenticate, user_logged_in
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, Strict

from accounts import tokens
from accounts.addresses import address_of
from accounts.api import idempotency
from accounts.api.limits import spend_try
from accounts.api.problems import (
    LOGIN_LOCKED,
    TOO_MANY_REQUESTS,
    TOO_MANY_TOKENS,
    WRONG_CREDENTIALS,
    ApiProblem,
    raises,
)
from accounts.api.requests import ProgramRequest
from accounts.api.schemas import Input, Text
from accounts.models import ApiToken, User

router = Router(tags=["Signing in"])


class Credentials(Input):
    username: Annotated[Text, Field(max_length=150, description="The login.", examples=["member"])]
    password: Annotated[
        Text, Field(max_length=4096, description="The password.", examples=["mesto-demo"])
    ]
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
        Field(description="READ can only read; WRITE can also book, move and cancel."),
    ] = ApiToken.Scope.WRITE
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
@raises(WRONG_CREDENTIALS, LOGIN_LOCKED, TOO_MANY_TOKENS, TOO_MANY_REQUESTS)
@idempotency.accepts_key
def create_token(request: ProgramRequest, body: Credentials) -> object:
    """Wrong passwords count together with those on the login page, and lock it for a while."""
    now = timezone.now()
    spend_try("token", now=now, address=address_of(request))
    user = authenticate(request, username=body.username, password=body.password)
    if not isinstance(user, User):
        raise ApiProblem(WRONG_CREDENTIALS, headers={"WWW-Authenticate": 'Bearer realm="Mesto"'})
    spend_try("token", now=now, login=user.username)  # not earlier: strangers would use it up
    user_logged_in.send(User, request=request, user=user)  # forgets the mistyped ones before it
    claim = idempotency.begin(request, user)
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
            expires_at=now + timedelta(days=body.days),
            now=now,
            code=claim.row.code if claim is not None else None,
            text=text,
        )
    except tokens.AlreadyMade as earlier:  # by this same request, before it could answer
        token = earlier.token
    except tokens.TooManyTokens as error:
        raise ApiProblem(TOO_MANY_TOKENS, str(error)) from error
    shown = {"token_type": "Bearer", "scope": token.scope, "expires_at": token.expires_at}
    return Status(HTTPStatus.CREATED, {"token": text, **shown})
