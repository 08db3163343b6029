"""Connections that are lost: between machines, and to those who listen."""

from functools import partial

from chaos.faults.arena import Arena, Breaking, Fault


def partition(arena: Arena) -> Breaking:
    assert arena.machines
    lost = arena.primary()
    yield f"machine{lost}"
    arena.machines.cut(lost)
    text = arena.wait_for_another_primary(lost)
    arena.hold(1, 5)
    arena.machines.join(lost)
    return text


def replica_partition(arena: Arena) -> Breaking:
    assert arena.machines
    number = arena.replica()
    yield f"machine{number}"
    arena.machines.cut(number)
    arena.hold(8, 15)
    arena.machines.join(number)
    return ""


def away(name: str, arena: Arena) -> Breaking:
    yield name
    arena.listeners.take_away(name)
    arena.hold(5, 12)
    arena.listeners.bring_back(name)
    return ""


def no_machines(arena: Arena) -> str:
    return arena.no_machines


LOSING = [
    Fault(
        "partition",
        "no packet between the primary's machine and all others",
        partition,
        no_machines,
    ),
    Fault(
        "replica-partition",
        "no packet between a replica's machine and all others",
        replica_partition,
        no_machines,
    ),
    Fault("no-kafka", "Kafka refuses connections for seconds", partial(away, "kafka")),
    Fault("no-mail", "the mail server refuses connections for seconds", partial(away, "mail")),
    Fault("no-webhooks", "the receivers of webhooks refuse connections", partial(away, "webhooks")),
]
