"""Signing up, for programs: `/accounts`."""

from http import HTTPStatus
from typing import Annotated

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from ninja import Router, Schema, Status
from pydantic import Field

from accounts import services
from accounts.addresses import address_of
from accounts.api import idempotency
from accounts.api.limits import too_often
from accounts.api.problems import (
    INVALID,
    LOGIN_LOOKS_TAKEN,
    LOGIN_MIXES_SCRIPTS,
    LOGIN_TAKEN,
    TOO_MANY_REQUESTS,
    ApiProblem,
    raises,
)
from accounts.api.requests import ProgramRequest
from accounts.api.schemas import Input, Text
from accounts.models import User
from accounts.tries import TooOften

router = Router(tags=["Signing in"])

REFUSALS = {kind.code: kind for kind in (LOGIN_TAKEN, LOGIN_LOOKS_TAKEN, LOGIN_MIXES_SCRIPTS)}


class NewAccount(Input):
    username: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=150,
            description="The login: letters, digits and @ . + - _ ; case makes no difference.",
            examples=["carol"],
        ),
    ]
    password: Annotated[
        Text,
        Field(
            max_length=4096,
            description="At least 8 characters, not only digits, not easily guessed.",
            examples=["three-quiet-desks"],
        ),
    ]
    email: Annotated[
        Text,
        Field(
            max_length=254,
            description="For news about your bookings; may be empty.",
            examples=["carol@example.org"],
        ),
    ] = ""


class AccountOut(Schema):
    username: Annotated[
        str, Field(description="The login as it is stored: in lower case.", examples=["carol"])
    ]
    email: Annotated[str, Field(description="May be empty.", examples=["carol@example.org"])]


@router.post(
    "/accounts",
    response={201: AccountOut},
    auth=None,
    operation_id="createAccount",
    summary="Sign up: a login and a password for a new member",
)
@raises(LOGIN_TAKEN, LOGIN_LOOKS_TAKEN, LOGIN_MIXES_SCRIPTS, TOO_MANY_REQUESTS)
@idempotency.accepts_key
def create_account(request: ProgramRequest, body: NewAccount) -> object:
    """The sign-up page's rules apply, and both count together. Then sign in for a token."""
    login = User.normalize_username(body.username)
    user = idempotency.sender_of(request, login)
    if user is None:
        try:
            return _answer(_register(request, body))
        except services.LoginRefused as error:
            user = idempotency.sender_of(request, login)  # sent twice at once; this is the second
            if user is None:
                raise _refusal(error) from error
    claim = idempotency.begin(request, user)
    if claim is not None and claim.answer is not None:
        return claim.answer
    return _answer(user)  # the previous request was killed before it could answer


def _answer(user: User) -> Status[dict[str, str]]:
    return Status(HTTPStatus.CREATED, {"username": user.username, "email": user.email})


def _register(request: ProgramRequest, body: NewAccount) -> User:
    try:
        return services.register(
            body.username,
            password=body.password,
            email=body.email,
            language=translation.get_language() or "",
            address=address_of(request),
            now=timezone.now(),
            also=lambda user: idempotency.begin(request, user),
        )
    except ValidationError as error:
        errors = [
            {"field": f"body.{field}", "message": message}
            for field, messages in error.message_dict.items()
            for message in messages
        ]
        raise ApiProblem(INVALID, errors=errors) from error
    except TooOften as error:
        raise too_often(error) from error


def _refusal(error: services.LoginRefused) -> ApiProblem:
    errors = [{"field": "body.username", "message": str(error)}]
    return ApiProblem(REFUSALS[error.code], str(error), errors=errors)
