"""Events to Kafka.

An event counts as delivered only when the broker has acknowledged it: the only
source of an outcome is librdkafka's delivery report. Nothing is remembered here; the
rows are the queue. While the broker is down they wait, and never become dead letters.

Order. The relay gives us a booking's next event when the previous one is settled, so for each
booking at most one message is under way, and the second is written after the first has been
acknowledged. That holds across outages, batches, partition leaders, producers and workers, and it
asks nothing of the producer; what a producer can do is write the same message twice:

- It sends, the broker writes, the acknowledgement is lost; librdkafka sends again. An idempotent
  producer numbers its messages, so the broker recognises the second and drops it.
- It sends, and no answer comes before the message times out: the row goes back, is sent again
  later, and may be written twice. The first copy precedes everything that came after it; the
  late one has the same id, and a consumer that remembers ids drops it.
- The worker is killed between the acknowledgement and the row. Same result.

So consumers see every event at least once, and the first time in order. What must not happen is
that an old copy is *sent* long after its row went back: it could be hours late. Therefore a
message's timeout is much shorter than the relay's lease, and what is still in the producer when we
stop waiting is purged. What was purged in flight may or may not have been written, so it counts as
not delivered; librdkafka takes a new epoch for what follows, and the broker refuses late copies of
the old one.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.conf import settings

from notifications import relay
from notifications.causes import carrying_out
from notifications.kafka.clients import chatter, logger, options, silent
from notifications.kafka.envelope import key_of, message
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Again, Delivered, Outcome, Refused, Skipped

AT_ONCE = 500

#: A message's timeout, from our hand to the acknowledgement. A worker that is told to stop waits
#: for it, so it is short: a message that needs longer is sent again.
TIMEOUT_MS = 5000
TIMEOUTS = ("message.timeout.ms", "delivery.timeout.ms")  # two names for one option
#: librdkafka looks for timed-out messages once a second.
GRACE = 1.5

DEFAULTS: dict[str, Any] = {
    "linger.ms": 5,
    "message.timeout.ms": TIMEOUT_MS,
    # Choose partitions as Java producers do, so that topics of both can be joined by key.
    "partitioner": "murmur2_random",
}
FIXED: dict[str, Any] = {"enable.idempotence": True, "acks": "all"}

#: What time won't fix. A broker judges batches: all messages in one get the same answer.
HOPELESS = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD}


def deliver_to_kafka(*, now: datetime) -> int:
    """Produce some of the events that are due; return how many that settled.

    Those to be retried don't count: when the broker is down, there is no point in hurrying.
    """
    if not settings.KAFKA["bootstrap_servers"]:
        return 0
    settled = 0

    def send(claimed: Sequence[Delivery]) -> list[tuple[Delivery, Outcome]]:
        nonlocal settled
        tried = produce(claimed)
        settled += sum(not isinstance(outcome, Again) for _delivery, outcome in tried)
        return tried

    relay.carry(Endpoint.Channel.KAFKA, send, limit=AT_ONCE, now=now)
    _current.serve()
    return settled


def timeout_seconds() -> float:
    """Return how long a message has to be acknowledged.

    Whatever the operator wants, it ends well before the lease, or another worker sends it too.
    """
    given = settings.KAFKA["options"]
    wanted = float(next((given[name] for name in TIMEOUTS if name in given), TIMEOUT_MS)) / 1000
    longest: float = settings.DELIVERIES["lease_seconds"] / 4
    return min(wanted, longest) if wanted > 0 else longest  # 0 is librdkafka's "forever"


def objection() -> str:
    """Return librdkafka's objection to the options, without connecting; empty if none.

    A producer knows all of a consumer's options too.
    """
    try:
        Producer({**options(DEFAULTS, FIXED), "bootstrap.servers": ""}, logger=silent)
    except (KafkaException, TypeError, ValueError) as error:
        return _reason(error)
    return ""


def produce(claimed: Sequence[Delivery]) -> list[tuple[Delivery, Outcome]]:
    """Send, wait for the answers, and return them. Nothing is left in the producer."""
    deadline = time.monotonic() + timeout_seconds() + GRACE
    outcomes = _produce(claimed, deadline)
    hopeless = [each for each in claimed if isinstance(outcomes[each.pk], Refused)]
    if len(claimed) > 1:  # one may have spoilt it for all: retry each in its own batch
        for delivery in hopeless:
            outcomes |= _produce([delivery], deadline)
    for delivery in claimed:
        if isinstance(outcome := outcomes[delivery.pk], Refused):
            logger.error("Kafka permanently refused delivery %s: %s", delivery, outcome.error)
    return [(delivery, outcomes[delivery.pk]) for delivery in claimed]


def _produce(claimed: Sequence[Delivery], deadline: float) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    try:
        producer = _current.get()
        for delivery in claimed:
            with carrying_out(delivery):
                _hand_over(delivery, producer, outcomes, deadline)
        if producer.flush(max(deadline - time.monotonic(), 0)):
            # Unusual: messages should have timed out by themselves. See the top of the file.
            producer.purge()
            producer.flush(GRACE)
    # Wrong options or a fatal error: the producer is useless now. Kafka's client raises
    # it from inside its callback to us, which Python reports as a SystemError.
    except (KafkaException, SystemError) as error:
        _current.discard()
        problem = _reason(error)
        unknown = (delivery for delivery in claimed if delivery.pk not in outcomes)
        outcomes |= {delivery.pk: Again(problem, is_down=True) for delivery in unknown}
    none_came = Again("No answer from Kafka in time.", is_down=True)
    return {delivery.pk: outcomes.get(delivery.pk, none_came) for delivery in claimed}


def _hand_over(
    delivery: Delivery, producer: Producer, outcomes: dict[int, Outcome], deadline: float
) -> None:
    event = delivery.event
    if event is None:
        outcomes[delivery.pk] = Skipped("Kafka only gets events.")
        return
    try:
        value, about = message(event)
    except ValueError as error:  # a row that no release of ours wrote: it holds nobody up
        outcomes[delivery.pk] = Refused(str(error))
        return
    key = key_of(event)
    while True:
        try:
            producer.produce(
                settings.KAFKA["topic"],
                value,
                key,
                headers=about,
                on_delivery=_report_to(delivery, outcomes),
            )
        except BufferError:  # the queue is full: wait until some of it has been sent
            if time.monotonic() < deadline:
                producer.poll(0.05)
                continue
        except KafkaException as error:
            if error.args[0].fatal():
                raise
            outcomes[delivery.pk] = _outcome(error.args[0])
        return


def _report_to(
    delivery: Delivery, outcomes: dict[int, Outcome]
) -> Callable[[KafkaError | None, Message], None]:
    """Return the callback through which librdkafka reports a message's fate."""

    def report(error: KafkaError | None, message: Message) -> None:
        outcomes[delivery.pk] = Delivered() if error is None else _outcome(error)

    return report


def _outcome(error: KafkaError) -> Outcome:
    """Classify an error. Whatever somebody, or time, can fix is worth waiting for.

    A broker that is down, a topic that doesn't exist yet, a missing permission: none of it
    is the event's fault, and the events behind it would fail as well.
    """
    if error.code() in HOPELESS:
        return Refused(_said(error))
    return Again(_said(error), is_down=True)


def _said(error: KafkaError) -> str:
    return f"{error.name()}: {error.str()}"


def _reason(error: BaseException) -> str:
    """Return the Kafka error behind an exception."""
    while error.__cause__ is not None:
        error = error.__cause__
    first = error.args[0] if error.args else error
    return _said(first) if isinstance(first, KafkaError) else str(first)


class _Current:
    """This process's producer: made when needed, and again after a fatal error.

    It finds brokers, and reconnects, in its own threads; so it outlives an outage.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._producer: Producer | None = None
        self._config: dict[str, Any] = {}

    def get(self) -> Producer:
        """Return it. Raises KafkaException for wrong options."""
        config = options(DEFAULTS, FIXED)
        for name in TIMEOUTS:
            config.pop(name, None)
        config[TIMEOUTS[0]] = max(round(timeout_seconds() * 1000), 10)
        with self._lock:
            if self._producer is None or self._config != config:
                self._producer = Producer({**config, "error_cb": self._fail}, logger=chatter)
                self._config = config
            return self._producer

    def serve(self) -> None:
        """Let it run its callbacks, or they pile up while nothing is due."""
        if self._producer is not None:
            self._producer.poll(0)

    def discard(self) -> None:
        with self._lock:
            self._producer = None

    def _fail(self, error: KafkaError) -> None:
        """Receive errors that belong to no message. All but fatal ones recover by themselves."""
        chatter.log(40 if error.fatal() else 30, "%s [%s] %s", error.name(), "mesto", error.str())
        if error.fatal():
            self.discard()


_current = _Current()
