"""A Kafka that tests can stop, hang and make fail: librdkafka's mock cluster.

It speaks Kafka's protocol on a local port, so producers and consumers in this process and
in others use it like a real broker: idempotent producers, acknowledgements, consumer
groups and their rebalances. Its controls are C functions that the Python package doesn't expose;
they are called with `ctypes` in the library that comes with the package. A broker that is down
refuses connections, as after a crash, and still has its port and its log when it comes up again.
"""

import ctypes
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition, cimpl

from config.tests.processes import PATIENCE

PRODUCE, OFFSET_COMMIT, INIT_PRODUCER_ID = 0, 8, 22  # request types in the protocol

BROKER = 1

REQUESTS, GROUP = "mesto.requests", "mesto"

#: All hear soon that somebody came or went, and nobody is taken for dead who is only slow.
LIVELY = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 200}

_pointer, _int, _text = ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p
_signatures: dict[str, tuple[object, list[object]]] = {
    "conf_new": (_pointer, []),
    "conf_set": (ctypes.c_int, [_pointer, _text, _text, _text, ctypes.c_size_t]),
    "new": (_pointer, [ctypes.c_int, _pointer, _text, ctypes.c_size_t]),
    "destroy": (None, [_pointer]),
    "mock_cluster_new": (_pointer, [_pointer, ctypes.c_int]),
    "mock_cluster_destroy": (None, [_pointer]),
    "mock_cluster_bootstraps": (_text, [_pointer]),
    "mock_broker_set_down": (ctypes.c_int, [_pointer, _int]),
    "mock_broker_set_up": (ctypes.c_int, [_pointer, _int]),
    "mock_broker_set_rtt": (ctypes.c_int, [_pointer, _int, ctypes.c_int]),
    "mock_topic_create": (ctypes.c_int, [_pointer, _text, ctypes.c_int, ctypes.c_int]),
    "mock_group_initial_rebalance_delay_ms": (None, [_pointer, _int]),
    "mock_push_request_errors_array": (
        None,
        [_pointer, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
    ),
    "mock_clear_request_errors": (None, [_pointer, ctypes.c_int16]),
}


def _call(name: str, *arguments: object) -> object:
    function = getattr(ctypes.CDLL(cimpl.__file__), f"rd_kafka_{name}")
    function.restype, function.argtypes = _signatures[name]
    return function(*arguments)


@dataclass(frozen=True)
class Record:
    """One message of a topic."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    headers: dict[str, str]

    @property
    def json(self) -> dict:
        return json.loads(self.value)


class Broker:
    """One broker; topics are created, with four partitions, when somebody writes to them."""

    def __init__(self) -> None:
        conf, error = _call("conf_new"), ctypes.create_string_buffer(512)
        _call("conf_set", conf, b"log_level", b"0", error, 512)
        self._client = _call("new", 0, conf, error, 512)
        self._cluster = _call("mock_cluster_new", self._client, 1)
        self.address: str = _call("mock_cluster_bootstraps", self._cluster).decode()
        # The first member of a group waits for others, usually three seconds.
        _call("mock_group_initial_rebalance_delay_ms", self._cluster, 50)

    def close(self) -> None:
        _call("mock_cluster_destroy", self._cluster)
        _call("destroy", self._client)

    # --- What may happen to a broker ---

    def go_down(self) -> None:
        """Cut every connection and refuse new ones, until `come_up`. The log is kept."""
        _call("mock_broker_set_down", self._cluster, BROKER)

    def come_up(self) -> None:
        _call("mock_broker_set_up", self._cluster, BROKER)

    def answer_after(self, seconds: float) -> None:
        """Act at once but answer only after that long, so that an answer can be lost."""
        _call("mock_broker_set_rtt", self._cluster, BROKER, int(seconds * 1000))

    def fail(self, request: int, *errors: int) -> None:
        """Answer the next requests of a type with these errors."""
        array = (ctypes.c_int * len(errors))(*errors)
        _call("mock_push_request_errors_array", self._cluster, request, len(errors), array)

    def fail_no_more(self, request: int) -> None:
        _call("mock_clear_request_errors", self._cluster, request)

    def create(self, topic: str, partitions: int = 4) -> None:
        _call("mock_topic_create", self._cluster, topic.encode(), partitions, 1)

    # --- What other programs do ---

    def write(
        self, topic: str, *values: object, key: str | None = None, partition: int = 0
    ) -> None:
        """Write messages to a partition; anything but bytes or None is written as JSON."""
        failed: list[KafkaError] = []
        producer = Producer({"bootstrap.servers": self.address, "linger.ms": 0})
        for value in values:
            plain = value is None or isinstance(value, bytes)
            producer.produce(
                topic,
                value if plain else json.dumps(value).encode(),
                key=key,
                partition=partition,
                on_delivery=lambda error, _message: failed.append(error) if error else None,
            )
        assert producer.flush(PATIENCE) == 0
        assert not failed, failed

    def read(self, topic: str, count: int = 0, seconds: float = PATIENCE) -> list[Record]:
        """Read a topic from the start: all there is, or a given number once there are that many."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
            }
        )
        found: list[Record] = []
        deadline = time.monotonic() + seconds
        try:
            partitions = consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions
            consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
            unread = set(partitions)
            while unread or len(found) < count:
                assert time.monotonic() < deadline, f"{len(found)} of {count} came"
                for message in consumer.consume(500, timeout=0.1):
                    error = message.error()
                    if error is None:
                        found.append(_record(message))
                    else:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                        unread.discard(message.partition())
        finally:
            consumer.close()
        return found

    def committed(self, group: str, topic: str, partitions: Sequence[int] = (0,)) -> list[int]:
        """Return how far a group has committed; -1001 where it hasn't."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group})
        try:
            asked = [TopicPartition(topic, partition) for partition in partitions]
            return [answer.offset for answer in consumer.committed(asked, timeout=PATIENCE)]
        finally:
            consumer.close()


def _record(message: Message) -> Record:
    key = message.key()
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=None if key is None else key.decode(),
        value=message.value(),
        headers={name: value.decode() for name, value in message.headers() or []},
    )


@pytest.fixture
def broker() -> Iterator[Broker]:
    found = Broker()
    yield found
    found.close()


@pytest.fixture
def kafka(broker: Broker, settings) -> Broker:
    """A broker that this process's settings name."""
    settings.KAFKA = {**settings.KAFKA, "bootstrap_servers": broker.address, "options": {}}
    return broker
