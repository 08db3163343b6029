"""Passkeys (WebAuthn, level 2): asked for by a challenge, which each answer uses up.

What checks them, `accounts.second.webauthn`, is slow to load, and few processes need it.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from json import loads

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts.factors import Passkey
from accounts.models import User
from accounts.second import services

CHALLENGE = "passkey_challenge"
FOR = timedelta(minutes=5)
MOST = 20  # of one person


class Purpose(StrEnum):
    SIGN_IN = "sign_in"  # alone: the device has to ask who is holding it
    SECOND = "second"  # after the password
    SURE = "sure"  # asked again
    ADD = "add"


class Refused(Exception):
    """An answer that we didn't ask for, or not from this device."""


def options(request: HttpRequest, purpose: Purpose, user: User | None, *, now: datetime) -> str:
    """Return what the browser is asked, as JSON; the challenge waits in the session."""
    from accounts.second import webauthn

    known = [] if user is None else [*Passkey.objects.filter(user=user).order_by("pk")]
    if purpose is Purpose.ADD:
        assert user is not None
        challenge, asked = webauthn.to_register(_domain(request), user, known)
    else:
        is_alone = purpose is Purpose.SIGN_IN
        challenge, asked = webauthn.to_authenticate(_domain(request), known, is_alone=is_alone)
    request.session[CHALLENGE] = {"text": challenge, "for": purpose, "at": now.isoformat()}
    return asked


def add(request: HttpRequest, user: User, name: str, answer: str, *, now: datetime) -> list[str]:
    """Store a new passkey; return the recovery codes, if it is the first factor. Raises Refused."""
    from accounts.second import webauthn

    challenge = _challenge(request, Purpose.ADD, now=now)
    if Passkey.objects.filter(user=user).count() >= MOST:
        raise Refused
    try:
        found = webauthn.registered(answer, challenge, _domain(request), _origin(request))
    except webauthn.BROKEN as error:
        raise Refused from error
    passkey = Passkey(name=name, created_at=now, **found)
    try:
        return services.add_passkey(user, passkey, now=now)
    except IntegrityError as error:  # somebody has it already
        raise Refused from error


def owner_of(
    request: HttpRequest, purpose: Purpose, answer: str, *, now: datetime, user: User | None = None
) -> User:
    """Return whose passkey signed our challenge, and note its use.

    It has to be this person's, if there is one. Raises Refused.
    """
    from accounts.second import webauthn

    challenge = _challenge(request, purpose, now=now)
    passkey = _named_by(answer)
    if passkey is None or (user is not None and passkey.user_id != user.pk):
        raise Refused
    is_alone = purpose is Purpose.SIGN_IN
    there = (_domain(request), _origin(request))
    try:
        count = webauthn.sign_count(answer, challenge, *there, passkey, is_alone=is_alone)
    except webauthn.BROKEN as error:
        raise Refused from error
    used = Passkey.objects.filter(pk=passkey.pk, user__is_active=True)
    if not used.update(sign_count=count, last_used_at=now):
        raise Refused
    return passkey.user


def _named_by(answer: str) -> Passkey | None:
    try:
        credential = str(loads(answer)["id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if "\x00" in credential or not credential.isascii():
        return None
    return Passkey.objects.filter(credential=credential).select_related("user").first()


def _challenge(request: HttpRequest, purpose: Purpose, *, now: datetime) -> str:
    """Take the challenge from the session, so that it is answered once."""
    kept = request.session.pop(CHALLENGE, None)
    if kept is None or kept["for"] != purpose or now - datetime.fromisoformat(kept["at"]) > FOR:
        raise Refused
    challenge: str = kept["text"]
    return challenge


def _domain(request: HttpRequest) -> str:
    """Return the host that passkeys are bound to; browsers refuse those of another."""
    return request.get_host().rpartition(":")[0] or request.get_host()


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def names(user: User, now: datetime) -> list[str]:
    """Return the names of a person's passkeys, newest first: each opens the account alone."""
    found = Passkey.objects.filter(user=user).order_by("-created_at", "-pk")
    return list(found.values_list("name", flat=True))


@transaction.atomic
def remove_all(user: User, now: datetime) -> int:
    """Remove all, even from somebody who needs one: the site then asks for another."""
    found = list(Passkey.objects.filter(user=user))
    return sum(
        services.remove_passkey(user, passkey, now=now, even_if_needed=True) for passkey in found
    )
