"""A Kafka of our own, and one who reads all that is written to it.

The broker is librdkafka's mock cluster, which speaks the protocol; see `notifications.tests.broker`
for what it can do. It keeps everything in memory, so a run begins with an empty topic.
"""

import json
import time
from importlib import import_module
from threading import Event, Thread

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from chaos.history import Heard, Writer
from chaos.hooks import sequence_of

TOPIC, PARTITIONS = "mesto.bookings", 4


class Kafka:
    """Writes each message down, in the order of its partition."""

    def __init__(self, writer: Writer) -> None:
        # By name: what is in tests has no types, and mypy would read it with us.
        self._broker = import_module("notifications.tests.broker").Broker()
        self._writer, self._over = writer, Event()
        self._broker.create(TOPIC, PARTITIONS)
        self.address: str = self._broker.address
        self.problems: list[str] = []
        self._thread = Thread(target=self._listen, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Read what is there, then close."""
        self._over.set()
        self._thread.join()
        self._broker.close()

    def take_away(self) -> None:
        self._broker.go_down()

    def bring_back(self) -> None:
        self._broker.come_up()

    def _listen(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "chaos",
                "enable.auto.commit": False,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )
        consumer.assign([TopicPartition(TOPIC, number, 0) for number in range(PARTITIONS)])
        while True:
            messages = consumer.consume(100, timeout=0.5)
            for message in messages:
                if message.error() is None:
                    self._note(message)
            if self._over.is_set() and not messages and _has_read_all(consumer):
                break
        try:
            consumer.close()
        except KafkaException as error:
            self.problems.append(str(error))

    def _note(self, message: Message) -> None:
        content = json.loads(message.value() or b"{}")
        data = content["data"]
        if (message.key() or b"").decode() != data["booking"]["code"]:
            self.problems.append(f"{content['id']} has the key of another booking")
        self._writer.write(
            Heard(
                listener="kafka",
                at=time.time(),
                event=content["id"],
                booking=data["booking"]["code"],
                type=content["type"],
                sequence=sequence_of(content["id"]),
            )
        )


def _has_read_all(consumer: Consumer) -> bool:
    """Tell whether there is no more to read; a pause may only be a slow machine's."""
    try:
        for each in consumer.position(consumer.assignment()):
            _first, end = consumer.get_watermark_offsets(each, timeout=5)
            if max(each.offset, 0) < end:
                return False
    except KafkaException:  # the broker is away
        return True
    return True
