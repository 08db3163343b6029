"""All who are told of events, and write down what they heard: webhooks, mail, Kafka.

    listeners = Listeners(writer)
    listeners.start()
    cluster = Cluster(settings=listeners.settings)
    scene = Scene.prepare(cluster.settings, hooks=listeners.hooks)

Each is a real server on this machine, which can be taken away for a while.
"""

from typing import Protocol

from chaos.history import Writer
from chaos.hooks import Hooks
from chaos.kafka import Kafka
from chaos.mailbox import Mailbox
from chaos.scene import Hook


class Listener(Protocol):
    """One of them; writes to the history by itself."""

    problems: list[str]

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def take_away(self) -> None: ...

    def bring_back(self) -> None: ...


NAMES = ("webhooks", "mail", "kafka")

#: Work is taken from the dead, and tried again, sooner than in production: a run lasts minutes.
IN_A_HURRY = {
    "DELIVERY_RETRY_SECONDS": "1",
    "DELIVERY_LEASE_SECONDS": "20",
    "WEBHOOK_TIMEOUT_SECONDS": "3",
    # The listeners are on this machine.
    "WEBHOOK_ALLOW_PRIVATE": "true",
}


class Listeners:
    """An HTTP, an SMTP and a Kafka server on this machine, which can be taken away."""

    def __init__(self, writer: Writer, *, seed: int = 1) -> None:
        self._hooks = Hooks(writer, seed=seed)
        self._mail = Mailbox(writer, seed=seed)
        self._kafka = Kafka(writer)
        all_of_them: tuple[Listener, ...] = (self._hooks, self._mail, self._kafka)
        self._all = dict(zip(NAMES, all_of_them, strict=True))

    def start(self) -> None:
        """Open all doors; their ports stay the same until `stop`."""
        for each in self._all.values():
            each.start()

    def stop(self) -> None:
        """Close everything for good."""
        for each in self._all.values():
            each.stop()

    @property
    def settings(self) -> dict[str, str]:
        """Return what web nodes and workers need in their environment to reach them."""
        return {
            **IN_A_HURRY,
            "EMAIL_URL": f"smtp://127.0.0.1:{self._mail.port}",
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka.address,
        }

    @property
    def hooks(self) -> dict[str, Hook]:
        """Return the webhook of each kind of space: its name is `listener` in the history."""
        return self._hooks.hooks

    def take_away(self, name: str) -> None:
        """Close the door of `webhooks`, `mail` or `kafka`: connections are cut and refused."""
        self._all[name].take_away()

    def bring_back(self, name: str) -> None:
        """Open it again, at the same port."""
        self._all[name].bring_back()

    @property
    def problems(self) -> list[str]:
        """Return what no listener should hear, such as a call that isn't signed by us."""
        return [f"{name}: {text}" for name, each in self._all.items() for text in each.problems]
