"""A booking request from Kafka: parsed as the API does, and accepted or refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Self

from django.conf import settings
from django.db import DataError, Error, IntegrityError
from pydantic import Field, ValidationError, model_validator

from accounts.api.problems import ApiProblem
from accounts.api.schemas import Text
from bookings.api import asking
from bookings.api.schemas import BookingIn
from bookings.deciding import services
from bookings.deciding.errors import BookingError, Refused
from bookings.deciding.transactions import transactional
from bookings.models import Booking
from notifications.kafka.clients import logger
from notifications.models import RefusedRequest

MOST_BYTES = 64 * 1024  # a real request has a few hundred
KEPT = 10_000  # characters of what was refused
LONGEST_KEY = 200
CHUNK = 500  # rows deleted at a time


class RequestIn(BookingIn):
    """What the API takes for a booking, for a member or a guest, plus a key against repeats."""

    request_key: Annotated[Text | None, Field(min_length=1, max_length=LONGEST_KEY)] = None

    @model_validator(mode="after")
    def is_for_somebody(self) -> Self:
        if self.member is None and not self.guest_name:
            raise ValueError("name the member or the guest it is for")
        return self

    @model_validator(mode="after")
    def is_for_a_place(self) -> Self:
        if self.place is None:
            raise ValueError("name the place: what the house chooses can't wait for a decision")
        return self


class RequestError(ValueError):
    """This message can't become a booking, however often it arrives. The text says why."""


@dataclass(frozen=True)
class Received:
    """A message: its text, and its position, which no other message will ever have."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    timestamp: int = 0  # milliseconds; a recreated topic counts its offsets from 0 again

    @property
    def key(self) -> str:
        """Return a key for a message without one, so that reading it again books nothing twice."""
        where = f"{self.topic}.{self.partition}.{self.offset}.{self.timestamp}"
        return f"kafka:{where[-LONGEST_KEY + 6 :]}"

    def __str__(self) -> str:
        return f"{self.topic} {self.partition} {self.offset}"


def take(message: Received, *, now: datetime) -> Booking | None:
    """Store what a message asks for, and return it; or store why it is refused, and return None.

    Either way it is committed on return. Raises a database error when the database can't store
    anything now, and nothing else, so that no message holds up those behind it.
    """
    try:
        return accept(message, now=now)
    except RequestError as error:
        reason = str(error)
    except (DataError, IntegrityError) as error:  # the database works but rejects this
        logger.exception("request %s can't be stored", message)
        reason = f"storage: {error}"
    except Error:
        raise
    except Exception as error:  # a bug of ours: kept for the staff, with the trace in the log
        logger.exception("request %s failed", message)
        reason = f"internal: {type(error).__name__}"
    refuse(message, reason, now=now)
    return None


def accept(message: Received, *, now: datetime) -> Booking:
    """Request the booking, to be decided next. The house asks: nobody is signed in to a topic.

    The same key from the same member, or from guests, returns the booking it made before. Raises
    RequestError.
    """
    content = read(message.value)
    try:
        assert content.place is not None  # see `RequestIn`
        place = asking.find_place(content.place)
        member = None if content.member is None else asking.find_member(content.member)
        key = content.request_key or message.key
        wish = asking.one_place(content, place, member, key)
        return services.request(wish, by=None, now=now)
    except ApiProblem as error:
        raise RequestError(f"{error.kind.code}: {error}") from error
    except Refused as error:
        reasons = [f"{problem.code}: {problem.message}" for problem in error.problems]
        raise RequestError(" ".join(reasons)) from error
    except BookingError as error:
        raise RequestError(f"{error.code}: {error}") from error


def read(value: bytes | None) -> RequestIn:
    """Parse a message's value. Raises RequestError with everything that is wrong with it."""
    if not value:
        raise RequestError("empty: there is no value.")
    if len(value) > MOST_BYTES:
        raise RequestError(f"too_large: {len(value)} bytes; at most {MOST_BYTES}.")
    try:
        return RequestIn.model_validate_json(value)
    except ValidationError as error:
        wrong = [
            ": ".join([*map(str, each["loc"]), each["msg"]])
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise RequestError(f"invalid: {'; '.join(wrong)}") from error


@transactional
def refuse(message: Received, reason: str, *, now: datetime) -> None:
    """Keep what was refused and why, only once even if it is read again."""
    text = (message.value or b"")[:MOST_BYTES].decode(errors="replace")
    RefusedRequest.objects.update_or_create(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        defaults={
            "value": _storable(text)[:KEPT],
            "reason": _storable(reason)[:500],
            "received_at": now,
        },
    )
    # The rest may hold what was asked for; the staff find it in the row.
    logger.warning("request %s refused: %s", message, reason.partition(":")[0])


def _storable(text: str) -> str:
    """Return text that a database can store: PostgreSQL has no NUL character."""
    whole = text.encode(errors="replace").decode()
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")


@transactional
def forget_refused(*, now: datetime) -> int:
    """Delete some of the requests that were refused long ago; return how many."""
    before = now - timedelta(days=settings.DELIVERIES["retention_days"])
    old = RefusedRequest.objects.filter(received_at__lt=before)
    keys = list(old.values_list("pk", flat=True)[:CHUNK])
    RefusedRequest.objects.filter(pk__in=keys).delete()
    return len(keys)
