"""What our producer and consumer share: options, and where librdkafka's messages go."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

logger = logging.getLogger("mesto.kafka")

QUIET_SECONDS = 60.0

COMMON: dict[str, Any] = {
    "client.id": "mesto",
    # Leave a broker that swallows packets for the next one before messages time out.
    "socket.connection.setup.timeout.ms": 3000,
    "reconnect.backoff.max.ms": 5000,
    "log.connection.close": False,  # brokers close idle connections
    "enable.metrics.push": False,
}


def options(defaults: dict[str, Any], fixed: dict[str, Any]) -> dict[str, Any]:
    """Return a client's options: ours, overridden by the operator's, then what must not change.

    KAFKA_OPTIONS serves producer and consumer: each would warn about the other's options.
    """
    return {
        **COMMON,
        **defaults,
        **settings.KAFKA["options"],
        "bootstrap.servers": settings.KAFKA["bootstrap_servers"],
        **fixed,
    }


@dataclass
class OnceAMinute(logging.Filter):
    """Let one line of each kind through per minute, and say how many were suppressed.

    While a broker is down, librdkafka writes several lines a second, for as long as it takes.
    """

    seconds: float = QUIET_SECONDS
    last: dict[object, float] = field(default_factory=dict)
    left_out: dict[object, int] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        # librdkafka's lines arrive as ("FAIL", its name for the client, what happened); ours as a
        # sentence and its arguments.
        raw = record.msg.startswith("%s [%s]") and isinstance(record.args, tuple) and record.args
        kind = raw[0] if raw else record.msg
        now = time.monotonic()
        if kind in self.last and now < self.last[kind] + self.seconds:
            self.left_out[kind] = self.left_out.get(kind, 0) + 1
            return False
        self.last[kind] = now
        if count := self.left_out.pop(kind, 0):
            record.msg += f" (and {count} more like it since the last)"
        return True


#: What librdkafka logs; only warnings and errors.
chatter = logging.getLogger("mesto.kafka.client")
chatter.addFilter(OnceAMinute())

#: For a client that only serves to check that it can be made.
silent = logging.getLogger("mesto.kafka.silent")
silent.disabled = True
