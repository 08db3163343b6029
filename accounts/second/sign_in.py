"""Signing in by two steps: after the password, a code or a passkey.

Until the second step nobody is signed in: the session only says who has typed the password.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts import people
from accounts.models import User

HALF = "half_signed_in"
PASSED = "second_factor_passed"
FOR = timedelta(minutes=10)


def whole(request: HttpRequest, person: User | AnonymousUser) -> User | AnonymousUser:
    """Return who is signed in: nobody, where the second step is still missing.

    Whichever way the session came about, also before the person had a second factor.
    """
    is_half = (
        isinstance(person, User)
        and person.second_factor_at is not None
        and not request.session.get(PASSED)
    )
    request.half = person if is_half else None  # type: ignore[attr-defined]  # for `half_of`
    return AnonymousUser() if is_half else person


def begin(request: HttpRequest, user: User, *, now: datetime) -> None:
    """Remember who has typed the password."""
    request.session.cycle_key()
    request.session[HALF] = {
        "user": user.pk,
        "at": now.isoformat(),
        "hash": user.get_session_auth_hash(),
    }


def half_of(request: HttpRequest, *, now: datetime) -> User | None:
    """Return who has taken the first step, unless that was long ago or a password ago."""
    if half := getattr(request, "half", None):
        found: User = half
        return found
    begun = request.session.get(HALF)
    if begun is None or now - datetime.fromisoformat(begun["at"]) > FOR:
        return None
    user = people.find(begun["user"], now=now)
    if user is None or not user.is_active or user.second_factor_at is None:
        return None
    is_same = constant_time_compare(begun["hash"], user.get_session_auth_hash())
    return user if is_same else None


def finish(request: HttpRequest, user: User) -> None:
    """Sign in somebody who has taken both steps, or one that is worth both."""
    enter(request, user)
    passed(request)


def enter(request: HttpRequest, user: User) -> None:
    """Sign in somebody whose account asks for no second step."""
    request.session.pop(HALF, None)
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])


def passed(request: HttpRequest) -> None:
    request.session[PASSED] = True
