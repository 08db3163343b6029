"""All who are told of events, each with what it heard in the history: webhooks, mail, Kafka.

listeners = Listeners(writer); listeners.start()
cluster = Cluster(settings=listeners.settings)
scene = Scene.prepare(cluster.settings, hooks=listeners.hooks)
"""

from chaos.history import Writer

NAMES = ("webhooks", "mail", "kafka")


class Listeners:
    """An HTTP, an SMTP and a Kafka server on this machine, which can be taken away."""

    def __init__(self, writer: Writer, *, seed: int = 1) -> None:
        self.writer = writer

    def start(self) -> None:
        """Open all doors; their ports stay the same until `stop`."""

    def stop(self) -> None:
        """Close everything for good."""

    @property
    def settings(self) -> dict[str, str]:
        """Return what web nodes and workers need in their environment to reach them."""
        return {}

    @property
    def hooks(self) -> dict[str, str]:
        """Return the address of each webhook by its name, which is `listener` in the history."""
        return {}

    def take_away(self, name: str) -> None:
        """Close the door of `webhooks`, `mail` or `kafka`: connections are cut and refused."""

    def bring_back(self, name: str) -> None:
        """Open it again, at the same port."""
