"""How much of each fault members may notice."""

from dataclasses import dataclass

from chaos.history import Fault


@dataclass(frozen=True)
class Limit:
    """None: not limited, only measured."""

    gap: float | None = None  # seconds in which nobody could book
    unanswered: int | None = 0  # acts that had no answer in the end


#: A process that was killed, and what takes over from it.
PROCESS = Limit(gap=5.0)
#: A host that is lost or hangs, with the primary on it: its lease has to run out.
PRIMARY_HOST = Limit(gap=25.0)
#: Nothing is left, until it has started again.
EVERYTHING = Limit(unanswered=None)

LIMITS: dict[str, Limit] = {}


def limit_of(fault: Fault) -> Limit:
    return LIMITS.get(fault.kind, PROCESS)
