"""What a fault has at hand: the cluster, the listeners around it, and the dice."""

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from chaos.cluster import Cluster
from chaos.faults.wellness import Wellness
from chaos.layout import DATABASES
from chaos.listeners import Listeners
from chaos.machines import Machines
from chaos.releases import Release

#: Says what it breaks, then breaks and mends it; returns what else is to be told of it.
type Breaking = Generator[str, None, str]


@dataclass
class Arena:
    cluster: Cluster
    listeners: Listeners
    machines: Machines | None  # of the databases, if they have machines of their own
    dice: random.Random
    no_machines: str = ""  # why not
    before: Release | None = None  # what is deployed over
    turns: dict[str, int] = field(default_factory=dict)  # how often each fault has been there
    wellness: Wellness = field(init=False)

    def __post_init__(self) -> None:
        self.wellness = Wellness(self.cluster)

    def one_of(self, kind: str) -> str:
        return self.dice.choice(self.cluster.names_of(kind))

    def primary(self) -> int:
        number = self.cluster.primary()
        if number is None:
            raise RuntimeError("there is no primary to break")
        return number

    def replica(self) -> int:
        return self.dice.choice([n for n in range(1, DATABASES + 1) if n != self.primary()])

    def hold(self, least: float, most: float) -> None:
        """Let something be broken, or nothing, until a random moment."""
        end = time.monotonic() + self.dice.uniform(least, most)
        self.cluster.wait("a moment", lambda: time.monotonic() > end, most + 60)

    def wait_for_another_primary(self, lost: int) -> str:
        """Return which it is, when the balancer has found it, too."""

        def is_there() -> bool:
            return self.cluster.primary() not in (lost, None)

        self.cluster.wait("another primary", is_there)
        self.cluster.wait("the site to be ready", self.cluster.is_ready)
        return f"node{self.cluster.primary()} became primary"


@dataclass(frozen=True)
class Fault:
    name: str
    about: str
    strike: Callable[[Arena], Breaking]
    #: Why it can't be done here; empty if it can.
    missing: Callable[[Arena], str] = lambda arena: ""
