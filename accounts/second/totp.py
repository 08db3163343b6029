"""Codes that change every thirty seconds (RFC 6238 over RFC 4226), and the keys they come from."""

from base64 import b32encode, urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest, digest
from secrets import token_bytes
from urllib.parse import quote, urlencode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps that a phone's clock may be off, either way
KEY_BYTES = 20  # as long as SHA-1's output: RFC 4226, section 4
ISSUER = "Mesto"


def new_key() -> bytes:
    return token_bytes(KEY_BYTES)


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def code_at(key: bytes, step: int) -> str:
    """Return the code of a step (RFC 4226, 5.3). SHA-1, because every app knows it."""
    hashed = digest(key, step.to_bytes(8, "big"), "sha1")
    offset = hashed[-1] & 0xF
    number = int.from_bytes(hashed[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(key: bytes, code: str, *, now: datetime) -> int | None:
    """Return the step that a code is of, the earliest first; None if it is wrong."""
    here = step_at(now)
    found = [
        step
        for step in range(here - DRIFT, here + DRIFT + 1)
        if compare_digest(code_at(key, step).encode(), code.encode())
    ]
    return found[0] if found else None


def typed(key: bytes) -> str:
    """Write a key for typing it into an app: base32, in groups of four."""
    text = b32encode(key).decode()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def address(key: bytes, login: str) -> str:
    """Return what the QR code says, as apps understand it."""
    query = {"secret": b32encode(key).decode(), "issuer": ISSUER, "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(f'{ISSUER}:{login}')}?{urlencode(query)}"


def seal(key: bytes) -> str:
    """Encrypt a key, so that a copy of the database alone signs nobody in."""
    return _sealing().encrypt(key).decode()


def unseal(sealed: str, *, seconds: int | None = None) -> bytes | None:
    """Return a key; None if we didn't seal it, or longer ago than that."""
    try:
        return _sealing().decrypt(sealed.encode(errors="replace"), ttl=seconds)
    except InvalidToken:
        return None


def _sealing() -> MultiFernet:
    """Seal with the site's key; what earlier keys have sealed stays readable."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    hashed = [sha256(b"accounts.second.totp:" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(urlsafe_b64encode(each)) for each in hashed])
