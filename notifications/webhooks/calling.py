"""One call: look the name up, check, connect to what was checked, send, read the answer.

No database here: many threads do this at once.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException, RemoteDisconnected
from typing import Any

from django.utils import timezone
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, ReadTimeoutError

from accounts import watching
from notifications.webhooks import guard, sentences
from notifications.webhooks.connections import Connection, Idle, connect
from notifications.webhooks.guard import Address, AddressRefused, NameUnknown
from notifications.webhooks.messages import Message

MOST_READ = 64 * 1024  # bytes of an answer's body that are kept
MOST_HEADER = 1000  # characters of each of its headers that are kept
#: A receiver may ask us to wait, but no longer than this.
LONGEST_WAIT = timedelta(hours=24)
#: These may succeed later; so may 5xx. Every other 4xx is final.
PASSING = {408, 409, 425, 429}


@dataclass(frozen=True)
class Result:
    """How a call went. Without an `error`, it was delivered."""

    at: datetime
    milliseconds: int
    request_headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""
    error: str = ""
    is_final: bool = False  # it will never succeed
    after: timedelta = timedelta(0)  # how long the receiver asks us to wait


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def call(message: Message, *, seconds: float, idle: Idle) -> Result:
    """Make one call, within that many seconds."""
    with (
        watching.caused_by(message.request_id, message.traceparent),
        watching.span("deliver webhook", kind="producer", parent=message.traceparent),
    ):
        return _call(message, seconds=seconds, idle=idle)


def _call(message: Message, *, seconds: float, idle: Idle) -> Result:
    at, began = timezone.now(), time.monotonic()
    headers = message.headers(at)
    told: dict[str, Any] = {}
    try:
        address = guard.read(message.url)
        headers = {"Host": address.host_header, **headers}
        answer = _post(address, headers, message.body, deadline=began + seconds, idle=idle)
    except (AddressRefused, NameUnknown) as error:
        told = {"error": error.sentence, "is_final": isinstance(error, AddressRefused)}
    except (OSError, HTTPError, HTTPException) as error:
        told = {"error": _what_failed(error, message, seconds), "request_headers": headers}
    else:
        told = {
            "request_headers": headers,
            "status": answer.status,
            "response_headers": _readable(answer.headers),
            "response_body": _plain(answer.body.decode(errors="replace")),
            **_judgement(answer, timezone.now()),
        }
    return Result(at=at, milliseconds=round((time.monotonic() - began) * 1000), **told)


def _post(
    address: Address, headers: Mapping[str, str], body: bytes, *, deadline: float, idle: Idle
) -> _Answer:
    found = guard.addresses_of(address, within=deadline - time.monotonic())
    if used := idle.take(address, found, deadline=deadline):
        try:
            return _exchange(used, address, headers, body, idle)
        except (ConnectionError, RemoteDisconnected):
            pass  # it was being closed as we started to send; there was no answer
    return _exchange(_connected(address, found, deadline), address, headers, body, idle)


def _connected(address: Address, found: list[guard.IP], deadline: float) -> Connection:
    """Try one address after another, each with its share of the remaining time."""
    for n, ip in enumerate(found, 1):
        left = deadline - time.monotonic()
        share = time.monotonic() + left / (len(found) - n + 1)
        try:
            connection = connect(address, ip, deadline=share)
        except ssl.SSLError:
            raise
        except OSError as error:
            if n == len(found) or time.monotonic() >= deadline:
                raise NotConnected from error
        else:
            connection.until(deadline)
            return connection
    raise NotConnected


class NotConnected(OSError):
    pass


def _exchange(
    connection: Connection,
    address: Address,
    headers: Mapping[str, str],
    body: bytes,
    idle: Idle,
) -> _Answer:
    is_kept = False
    try:
        connection.request(
            "POST",
            address.target,
            body=body,
            headers=headers,
            preload_content=False,
            decode_content=False,
        )
        response = connection.getresponse()
        read = response.read(MOST_READ, decode_content=False)
        says_close = "close" in response.headers.get("Connection", "").lower()
        is_kept = response.closed and response.version == 11 and not says_close
        return _Answer(response.status, dict(response.headers.items()), read)
    finally:
        if is_kept and not connection.is_closed:
            idle.keep(address, connection)
        else:
            connection.close()


def _what_failed(error: Exception, message: Message, seconds: float) -> str:
    host = guard.read(message.url).host_header
    cause = error.__cause__ if isinstance(error, NotConnected) else error
    if isinstance(cause, TimeoutError | ReadTimeoutError):
        return sentences.TOO_LATE % f"{seconds:g}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return sentences.NO_TRUST % f"{host} ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return sentences.NO_TLS % f"{host} ({error.reason})"
    if isinstance(error, NotConnected):
        return sentences.NO_CONNECTION % f"{host} ({getattr(cause, 'strerror', None) or cause})"
    is_cut = isinstance(error, ProtocolError) and not isinstance(error, IncompleteRead)
    if is_cut and isinstance(error.__cause__, HTTPException):
        return sentences.NO_HTTP
    if isinstance(error, OSError | ProtocolError | RemoteDisconnected):
        return sentences.HUNG_UP
    return sentences.NO_HTTP


def _judgement(answer: _Answer, now: datetime) -> dict[str, Any]:
    """Return what the status means, according to HTTP and the specification's advice."""
    status = answer.status
    if 200 <= status < 300:
        return {}
    if 300 <= status < 400:
        return {"error": sentences.REDIRECT % status, "is_final": True}
    if status == 410:
        return {"error": sentences.GONE % status, "is_final": True}
    error = sentences.ANSWERED % status
    if 400 <= status < 500 and status not in PASSING:
        return {"error": error, "is_final": True}
    return {"error": error, "after": _retry_after(answer.headers, now)}


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Read Retry-After, which is in seconds or a date (RFC 9110, 10.2.3)."""
    named = {name.lower(): value for name, value in headers.items()}
    text = named.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return timedelta(0)
        wait = date - now if date.tzinfo is not None else timedelta(0)
    return max(timedelta(0), min(wait, LONGEST_WAIT))


def _readable(headers: Mapping[str, str]) -> dict[str, str]:
    return {_plain(name)[:200]: _plain(value)[:MOST_HEADER] for name, value in headers.items()}


def _plain(text: str) -> str:
    """Drop NUL, which PostgreSQL can't store in text."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
