"""Everything ends and starts again: at once, or one after the other."""

from chaos import rolling
from chaos.faults.arena import Arena, Breaking, Fault


def restart(arena: Arena) -> Breaking:
    """The first time everything stops in order, the second time the power fails."""
    is_orderly = arena.turns.get("restart", 0) % 2 == 0
    yield "everything"
    if is_orderly:
        arena.cluster.end_all()
    else:
        arena.cluster.kill_all()
    arena.cluster.start_again()
    return "stopped in order" if is_orderly else "all killed at once"


def rolling_restart(arena: Arena) -> Breaking:
    yield "web, worker"
    for name in arena.cluster.names_of("web", "worker"):
        arena.cluster.terminate(name)
        arena.cluster.start_one(name)
        arena.cluster.wait("every web node to be ready", arena.cluster.serves)
    return ""


def deployment(arena: Arena) -> Breaking:
    """Deploy the release before, and this one over it, node after node."""
    yield "web, worker"
    return str(rolling.roll(arena.cluster, arena.before))


STARTING = [
    Fault("restart", "everything stops, in order or by a power cut, and starts again", restart),
    Fault("rolling-restart", "each web node and worker is restarted, in turn", rolling_restart),
    Fault("deployment", "a rolling deployment: back to the release before, and again", deployment),
]
