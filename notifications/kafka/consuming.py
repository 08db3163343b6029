"""Requests for bookings from Kafka: a member of a consumer group that stores, then commits.

A message's offset is committed after its row is: who is killed in between reads it again, and the
request key makes the same booking of it. What can't become a booking is stored as refused and
passed over. While the database is away the message in hand is tried again and nothing is committed;
the group keeps us, for we go on polling with everything paused.
"""

from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone

from notifications.kafka.clients import chatter, logger, options
from notifications.kafka.requests import Received, take

POLL = 0.2  # seconds; so long a signal may go unheard
#: Committing costs a round trip to the broker; what isn't committed is only looked at again.
COMMIT_EVERY = 100
LONGEST_PAUSE = 30.0  # seconds between two tries to store a message

DEFAULTS: dict[str, Any] = {
    # A new group begins with what waits already. Reading again books nothing twice.
    "auto.offset.reset": "earliest",
}
FIXED: dict[str, Any] = {"enable.auto.commit": False, "enable.auto.offset.store": False}


class Requests:
    """This process's part in the group, and what it did so far."""

    def __init__(self, is_stopping: Callable[[float], bool]) -> None:
        self.is_stopping = is_stopping
        self.accepted = self.refused = 0
        self._stored = 0  # since the last commit
        self._lost: set[tuple[str, int]] = set()  # while a message is in hand
        group = {"group.id": settings.KAFKA["requests_group"]}
        self.consumer = Consumer(options(DEFAULTS, FIXED | group), logger=chatter)

    def run(self) -> None:
        """Take requests until told to stop. Raises KafkaException when the client is done for."""
        self.consumer.subscribe(
            [settings.KAFKA["requests_topic"]],
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        try:
            while not self.is_stopping(0):
                message = self.consumer.poll(POLL)
                if message is None:
                    self._commit()
                elif error := message.error():
                    self._hear(error)
                else:
                    self._take(message)
        finally:
            self._commit()
            self.consumer.close()

    def _take(self, message: Message) -> None:
        """Store a message, however long the database is away, and let its offset be committed."""
        received = _read(message)
        self._lost.clear()
        pause = POLL
        while True:
            try:
                booking = take(received, now=timezone.now())
                break
            except Error as error:
                logger.warning("Request %s waits for the database: %s", received, error)
                close_old_connections()  # a database that was restarted is found again
            if not self._wait(pause, received):
                return
            pause = min(pause * 2, LONGEST_PAUSE)
        self.accepted += booking is not None
        self.refused += booking is None
        if (received.topic, received.partition) in self._lost:
            return  # somebody else reads it again, and finds what we stored
        self.consumer.store_offsets(message)
        self._stored += 1
        if self._stored >= COMMIT_EVERY:
            self._commit()

    def _wait(self, seconds: float, received: Received) -> bool:
        """Pause with nothing but signs of life; false when the message isn't ours any more."""
        held = self.consumer.assignment()
        self.consumer.pause(held)
        try:
            for _step in range(max(round(seconds / POLL), 1)):
                if self.is_stopping(0):
                    return False
                if (came := self.consumer.poll(POLL)) is not None and not came.error():
                    self._return(came)
                if (received.topic, received.partition) in self._lost:
                    return False
        finally:
            self.consumer.resume(self.consumer.assignment())
        return True

    def _return(self, message: Message) -> None:
        """Put back what came of a partition that was given to us just now."""
        where = TopicPartition(
            _read(message).topic, _read(message).partition, message.offset() or 0
        )
        self.consumer.seek(where)
        self.consumer.pause([where])

    def _hear(self, error: KafkaError) -> None:
        if error.fatal():
            raise KafkaException(error)
        logger.warning("Kafka: %s", error)

    def _commit(self) -> None:
        if not self._stored:
            return
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as error:  # read again, it is known
            logger.warning("Offsets could not be committed: %s", error)
            return
        self._stored = 0

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit()
        self._on_lost(_consumer, partitions)

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._lost.update((each.topic, each.partition) for each in partitions)


def _read(message: Message) -> Received:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None  # only an error comes from nowhere
    assert partition is not None
    assert offset is not None
    return Received(topic, partition, offset, message.value())
