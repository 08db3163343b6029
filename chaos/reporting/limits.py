"""How much of each fault members may notice."""

from dataclasses import dataclass

from chaos.history import Fault


@dataclass(frozen=True)
class Limit:
    """None: not limited, only measured."""

    gap: float | None = None  # seconds in which nobody could book
    unanswered: int | None = 0  # acts that had no answer in the end


#: A process is gone, and another takes over, or the same is started again.
PROCESS = Limit(gap=5.0)
#: A host is lost or hangs with the primary on it: its lease has to run out first.
PRIMARY_HOST = Limit(gap=25.0)
#: Nothing is left, until it has started again.
EVERYTHING = Limit(unanswered=None)

#: By kind of fault; the others are like that of a process.
LIMITS = {
    "primary-host": PRIMARY_HOST,
    "hung-primary": PRIMARY_HOST,
    "partition": PRIMARY_HOST,
    # The primary waits for the standby that it lost, until it knows.
    "replica-partition": PRIMARY_HOST,
    # The primary stops, and somebody else has to become it.
    "disk-full": PRIMARY_HOST,
    "restart": EVERYTHING,
}


def limit_of(fault: Fault) -> Limit:
    return LIMITS.get(fault.kind, PROCESS)
