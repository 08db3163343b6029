"""Talking to the provider: where it is, what it signs with, and who somebody is there.

OpenID Connect Core 1.0, the flow with a code, with PKCE (RFC 7636).
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from json import loads
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import constant_time_compare

KNOWN_FOR = 60 * 60  # seconds that we remember where the provider is and what it signs with
LEEWAY = timedelta(minutes=1)  # between its clock and ours
MOST_BYTES = 500_000
#: By a key pair only: with a shared secret, whoever can check a token can also make one.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]

_http = urllib3.PoolManager(
    timeout=urllib3.Timeout(connect=2, read=4), retries=False, num_pools=2, maxsize=4
)


class Trouble(Exception):
    """The provider can't be reached, or says what can't be believed. Its text is for the log."""


@dataclass(frozen=True)
class Begun:
    """What was sent along, to be compared with what comes back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Begun":
        return cls(token_urlsafe(32), token_urlsafe(32), token_urlsafe(48))


@dataclass(frozen=True)
class Claims:
    """Who somebody is there."""

    issuer: str
    subject: str
    email: str  # empty unless the provider has confirmed it
    login: str
    name: str
    signed_in_at: float | None  # seconds since 1970; None: not told


def _set(name: str) -> str:
    value: str = settings.OIDC[name]
    return value


def is_on() -> bool:
    return bool(_set("issuer") and _set("client_id"))


def where_to(begun: Begun, *, back: str, asks_again: bool) -> str:
    """Return the address at the provider where somebody says who they are. Raises Trouble."""
    challenge = urlsafe_b64encode(sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": _set("client_id"),
        "redirect_uri": back,
        "scope": "openid email profile",
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if asks_again:
        query |= {"prompt": "login", "max_age": "0"}
    address = _endpoint("authorization_endpoint")
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def who(code: str, begun: Begun, *, back: str, now: datetime) -> Claims:
    """Return who came back with this code. Raises Trouble."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "client_id": _set("client_id"),
        "code_verifier": begun.verifier,
    }
    if secret := _set("client_secret"):
        fields["client_secret"] = secret
    answer = _ask("POST", _endpoint("token_endpoint"), fields)
    return _read(str(answer.get("id_token", "")), begun, now=now)


def _read(text: str, begun: Begun, *, now: datetime) -> Claims:
    """Check a token as OpenID Connect Core, 3.1.3.7, says."""
    claims = _signed(text)
    issuer, client = _set("issuer"), _set("client_id")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer or client not in audiences:
        raise Trouble("a token of another provider, or for another site")
    if len(audiences) > 1 and claims.get("azp") != client:
        raise Trouble("a token for several sites that was not made for this one")
    if not constant_time_compare(str(claims.get("nonce", "")), begun.nonce):
        raise Trouble("a token that was made for another sign-in")
    until, since = _seconds(claims, "exp"), _seconds(claims, "iat")
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    if until is None or since is None or until < at - leeway or since > at + leeway:
        raise Trouble("a token of another time")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\x00" in subject:
        raise Trouble("a token of nobody")
    is_confirmed = claims.get("email_verified") is True
    return Claims(
        issuer=issuer,
        subject=subject,
        email=_text(claims, "email") if is_confirmed else "",
        login=_text(claims, "preferred_username"),
        name=_text(claims, "name")[:150],
        signed_in_at=_seconds(claims, "auth_time"),
    )


def _signed(text: str) -> dict[str, Any]:
    """Return what the provider has signed; once more with its newest keys if it was not those."""
    # Slow to load, and few processes need it.
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    for is_fresh in (False, True):
        keys = _known("jwks", _endpoint("jwks_uri"), is_fresh=is_fresh)
        try:
            token = jwt.decode(text, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]  # as the provider sent it
        except (JoseError, ValueError, TypeError, KeyError) as error:
            failed = error
        else:
            return dict(token.claims)
    raise Trouble(f"a token that can't be checked: {type(failed).__name__}") from failed


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # it is a number


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.replace("\x00", "")[:254] if isinstance(value, str) else ""


def _endpoint(name: str) -> str:
    """Return an address from the provider's own description (OpenID Connect Discovery 1.0)."""
    issuer = _set("issuer")
    described = _known("described", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    address = described.get(name)
    if described.get("issuer") != issuer or not isinstance(address, str):
        raise Trouble("a description of another provider")
    return address


def _known(what: str, address: str, *, is_fresh: bool = False) -> dict[str, Any]:
    key = f"oidc:{what}:{sha256(address.encode()).hexdigest()}"
    found: dict[str, Any] | None = None if is_fresh else cache.get(key)
    if found is None:
        found = _ask("GET", address)
        cache.set(key, found, KNOWN_FOR)
    return found


def _ask(method: str, address: str, fields: dict[str, str] | None = None) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise Trouble("an address without TLS")
    try:
        body = urlencode(fields) if fields else None
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = _http.request(
            method, address, body=body, headers=headers, redirect=False, preload_content=False
        )
        content = answer.read(MOST_BYTES)
        answer.release_conn()
        found = loads(content)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Trouble(f"no answer that we can read: {type(error).__name__}") from error
    if answer.status != 200 or not isinstance(found, dict):
        raise Trouble(f"{answer.status} from the provider")
    return found
