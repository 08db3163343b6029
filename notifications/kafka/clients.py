"""What our producer and our consumer have in common: options, and where librdkafka's words go."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

logger = logging.getLogger("mesto.kafka")

QUIET_SECONDS = 60.0

COMMON: dict[str, Any] = {
    "client.id": "mesto",
    # A broker that swallows packets is left for the next one before messages time out.
    "socket.connection.setup.timeout.ms": 3000,
    "reconnect.backoff.max.ms": 5000,
    "log.connection.close": False,  # brokers close what is idle
    "enable.metrics.push": False,
}


def options(defaults: dict[str, Any], fixed: dict[str, Any]) -> dict[str, Any]:
    """Return a client's options: ours, over them the operator's, over these what must not change.

    One KAFKA_OPTIONS is for producer and consumer: each warns of what only the other knows.
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
    """Let one line of each kind through a minute, and say how many were like it.

    While a broker is away librdkafka writes several lines a second, for as long as it takes.
    """

    seconds: float = QUIET_SECONDS
    last: dict[object, float] = field(default_factory=dict)
    left_out: dict[object, int] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        # librdkafka's lines come as ("FAIL", its name for the client, what happened); ours as a
        # sentence and what is in it.
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


#: What librdkafka says; errors only, and warnings.
chatter = logging.getLogger("mesto.kafka.client")
chatter.addFilter(OnceAMinute())

#: For a client that only shows whether it can be made.
silent = logging.getLogger("mesto.kafka.silent")
silent.disabled = True
