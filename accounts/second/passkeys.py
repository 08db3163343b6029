"""Passkeys (WebAuthn, level 2): asked for by a challenge, which each answer uses up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from json import loads
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.factors import Passkey
from accounts.models import User
from accounts.second import services

CHALLENGE = "passkey_challenge"
FOR = timedelta(minutes=5)
MOST = 20  # of one person

#: What a broken answer ends in; the library lets its parsers' own errors through.
BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError)


class Purpose(StrEnum):
    SIGN_IN = "sign_in"  # alone: the device has to ask who is holding it
    SECOND = "second"  # after the password
    SURE = "sure"  # asked again
    ADD = "add"


class Refused(Exception):
    """An answer that we didn't ask for, or not from this device."""


def options(request: HttpRequest, purpose: Purpose, user: User | None, *, now: datetime) -> str:
    """Return what the browser is asked, as JSON; the challenge waits in the session."""
    known = [] if user is None else [*Passkey.objects.filter(user=user).order_by("pk")]
    made: Any
    if purpose is Purpose.ADD:
        assert user is not None
        made = generate_registration_options(
            rp_id=_domain(request),
            rp_name="Mesto",
            user_name=user.username,
            user_display_name=user.get_short_name(),
            user_id=salted_hmac("accounts.passkeys", str(user.pk), algorithm="sha256").digest(),
            exclude_credentials=_named(known),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
        )
    else:
        is_alone = purpose is Purpose.SIGN_IN
        asked = UserVerificationRequirement
        made = generate_authentication_options(
            rp_id=_domain(request),
            allow_credentials=_named(known),
            user_verification=asked.REQUIRED if is_alone else asked.PREFERRED,
        )
    request.session[CHALLENGE] = {
        "text": bytes_to_base64url(made.challenge),
        "for": purpose,
        "at": now.isoformat(),
    }
    return options_to_json(made)


def _named(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential))
        for passkey in passkeys
    ]


def add(request: HttpRequest, user: User, name: str, answer: str, *, now: datetime) -> list[str]:
    """Store a new passkey; return the recovery codes, if it is the first factor. Raises Refused."""
    challenge = _challenge(request, Purpose.ADD, now=now)
    if Passkey.objects.filter(user=user).count() >= MOST:
        raise Refused
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_domain(request),
            expected_origin=_origin(request),
        )
    except BROKEN as error:
        raise Refused from error
    passkey = Passkey(
        name=name,
        credential=bytes_to_base64url(found.credential_id),
        public_key=bytes_to_base64url(found.credential_public_key),
        sign_count=found.sign_count,
        created_at=now,
    )
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
    challenge = _challenge(request, purpose, now=now)
    passkey = _named_by(answer)
    if passkey is None or (user is not None and passkey.user_id != user.pk):
        raise Refused
    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_domain(request),
            expected_origin=_origin(request),
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=purpose is Purpose.SIGN_IN,
        )
    except BROKEN as error:
        raise Refused from error
    used = Passkey.objects.filter(pk=passkey.pk, user__is_active=True)
    if not used.update(sign_count=found.new_sign_count, last_used_at=now):
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


def _challenge(request: HttpRequest, purpose: Purpose, *, now: datetime) -> bytes:
    """Take the challenge from the session, so that it is answered once."""
    kept = request.session.pop(CHALLENGE, None)
    if kept is None or kept["for"] != purpose or now - datetime.fromisoformat(kept["at"]) > FOR:
        raise Refused
    return base64url_to_bytes(kept["text"])


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
