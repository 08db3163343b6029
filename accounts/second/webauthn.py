"""What a browser is asked about passkeys, and what its answers prove, by the library `webauthn`.

Challenges, ids and keys are base64url, as the browser writes them.
"""

from collections.abc import Sequence
from typing import Any

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

#: What a broken answer ends in; the library lets its parsers' own errors through.
BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError)


def to_register(domain: str, user: User, known: Sequence[Passkey]) -> tuple[str, str]:
    """Return a challenge, and the JSON that asks for a new passkey."""
    asked = generate_registration_options(
        rp_id=domain,
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
    return bytes_to_base64url(asked.challenge), options_to_json(asked)


def to_authenticate(domain: str, known: Sequence[Passkey], *, is_alone: bool) -> tuple[str, str]:
    """Return a challenge, and the JSON that asks for one of these, or for any if there are none.

    Where it replaces the password, the device has to ask who is holding it.
    """
    level = UserVerificationRequirement
    asked = generate_authentication_options(
        rp_id=domain,
        allow_credentials=_named(known),
        user_verification=level.REQUIRED if is_alone else level.PREFERRED,
    )
    return bytes_to_base64url(asked.challenge), options_to_json(asked)


def _named(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential))
        for passkey in passkeys
    ]


def registered(answer: str, challenge: str, domain: str, origin: str) -> dict[str, Any]:
    """Return a new passkey's credential, public_key and sign_count. Raises one of BROKEN."""
    found = verify_registration_response(
        credential=answer,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=domain,
        expected_origin=origin,
    )
    return {
        "credential": bytes_to_base64url(found.credential_id),
        "public_key": bytes_to_base64url(found.credential_public_key),
        "sign_count": found.sign_count,
    }


def sign_count(
    answer: str, challenge: str, domain: str, origin: str, passkey: Passkey, *, is_alone: bool
) -> int:
    """Return how often a passkey has signed, if this answer is its. Raises one of BROKEN."""
    found = verify_authentication_response(
        credential=answer,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=domain,
        expected_origin=origin,
        credential_public_key=base64url_to_bytes(passkey.public_key),
        credential_current_sign_count=passkey.sign_count,
        require_user_verification=is_alone,
    )
    return found.new_sign_count
