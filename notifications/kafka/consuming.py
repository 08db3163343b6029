"""Booking requests from Kafka: a member of a consumer group that stores, then commits.

A message's offset is committed after its row: if we are killed in between, we read it again, and
the request key turns it into the same booking. What can't become a booking is stored as refused and
skipped. While the database is down, the current message is retried; nothing behind it is read,
nothing is committed, and the group keeps us, because we keep polling with everything paused.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone

from accounts import watching
from notifications.kafka.clients import chatter, logger, options
from notifications.kafka.requests import Received, take

#: Seconds that a poll may wait, and so the longest that a request to stop goes unnoticed.
POLL = 0.2
#: Committing costs a round trip to the broker; what isn't committed is merely read again.
COMMIT_EVERY = 100
COMMIT_SECONDS = 1.0
LONGEST_PAUSE = 10.0  # seconds between two tries to reach the database

DEFAULTS: dict[str, Any] = {
    # A new group starts with what is already waiting. Reading again books nothing twice.
    "auto.offset.reset": "earliest",
    # How long a commit may wait for a broker that is down when we are told to stop.
    "socket.timeout.ms": 10_000,
    # How soon a topic created after us is found; five minutes by default.
    "topic.metadata.refresh.interval.ms": 30_000,
}
FIXED: dict[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
}


@dataclass
class Requests:
    """This process's share in the group, and what it has done so far."""

    accepted: int = 0
    refused: int = 0
    _waiting: deque[Message] = field(default_factory=deque)  # not yet stored
    _failures: int = 0  # of the database, in a row
    _try_at: float = 0.0  # when it is tried next, on the monotonic clock
    _stored: int = 0  # since the last commit
    _committed_at: float = 0.0

    def __post_init__(self) -> None:
        group = {"group.id": settings.KAFKA["requests_group"]}
        config = options(DEFAULTS, FIXED | group) | {"error_cb": _hear}
        self.consumer = Consumer(config, logger=chatter)

    def run(self, *, is_stopping: Callable[[], bool]) -> None:
        """Take requests until told to stop. Raises KafkaException after a fatal error."""
        self.consumer.subscribe(
            [settings.KAFKA["requests_topic"]],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        try:
            while not is_stopping():
                self._receive()
                self._work_off()
                self._commit_now_and_then()
        finally:
            self._commit()
            self.consumer.close()

    def _receive(self) -> None:
        message = self.consumer.poll(POLL)
        if message is None:
            return
        if (error := message.error()) is None:
            self._waiting.append(message)
            if self._failures:  # of a partition we were only now assigned
                self.consumer.pause(self.consumer.assignment())
        else:
            _hear(error)
            if error.fatal():
                raise KafkaException(error)

    def _work_off(self) -> None:
        """Store what was received, in order, and stop at what the database can't take now."""
        if time.monotonic() < self._try_at:
            return
        while self._waiting:
            message = self._waiting[0]
            try:
                request_id, given = _cause(message)
                with (
                    watching.caused_by(request_id, given),
                    watching.span("request from Kafka", kind="consumer", parent=given),
                ):
                    booking = take(received(message), now=timezone.now())
            except Error:
                self._pause()
                return
            self._waiting.popleft()
            self._store(message)
            self.accepted += booking is not None
            self.refused += booking is None
        self._resume()

    def _pause(self) -> None:
        """Leave the database alone for a while, longer after each failure in a row."""
        pause = min(0.5 * 2**self._failures, LONGEST_PAUSE)
        logger.exception("the database doesn't accept requests; next try in %.1f s", pause)
        self.consumer.pause(self.consumer.assignment())
        self._failures += 1
        self._try_at = time.monotonic() + pause
        close_old_connections()  # a broken one is reopened

    def _resume(self) -> None:
        if self._failures:
            logger.info("the database accepts requests again")
            self.consumer.resume(self.consumer.assignment())
            self._failures = 0

    # --- Group decisions: called by librdkafka while we poll ---

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        logger.info("requests: partitions %s are ours", _numbers(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit before another member takes over, and leave it what we didn't get to."""
        self._commit()
        self._on_lost(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        logger.info("requests: partitions %s are no longer ours", _numbers(partitions))
        gone = {(each.topic, each.partition) for each in partitions}
        kept = (m for m in self._waiting if (m.topic(), m.partition()) not in gone)
        self._waiting = deque(kept)

    # --- Offsets ---

    def _store(self, message: Message) -> None:
        try:
            self.consumer.store_offsets(message)
            self._stored += 1
        except KafkaException as error:  # the group thinks we are gone, and will read it again
            chatter.warning("requests: %s is no longer ours: %s", received(message), error)

    def _commit_now_and_then(self) -> None:
        is_time = time.monotonic() >= self._committed_at + COMMIT_SECONDS
        if self._stored >= COMMIT_EVERY or (self._stored and is_time):
            self._commit()

    def _commit(self) -> None:
        """Tell the group how far we are. A failure only costs reading it again."""
        if not self._stored:
            return
        self._stored, self._committed_at = 0, time.monotonic()
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as error:
            chatter.warning("requests: could not commit how far we are: %s", error)


def received(message: Message) -> Received:
    return Received(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        value=message.value(),
        timestamp=message.timestamp()[1],
    )


def _cause(message: Message) -> tuple[str, str]:
    """Return the id of a request, and its trace: the ones that it came with, or an id of ours."""
    headers: Any = message.headers() or ()  # in their stubs it may also be a dictionary
    given = {name.lower(): value for name, value in headers}

    def text(name: str, form: str) -> str:
        found = given.get(name) or b""
        value = found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)
        return value if re.fullmatch(form, value) else ""

    named = text("x-request-id", watching.ID) or watching.new_id()
    return named, text("traceparent", watching.TRACEPARENT)


def _hear(error: KafkaError) -> None:
    """Log errors that belong to no message. All but fatal ones recover by themselves."""
    chatter.log(40 if error.fatal() else 30, "%s [%s] %s", error.name(), "requests", error.str())


def _numbers(partitions: list[TopicPartition]) -> str:
    return ", ".join(str(each.partition) for each in partitions) or "none"
