"""Hosts that hang: SIGSTOP. Connections to them stay open, and nobody answers."""

from chaos.faults.arena import Arena, Breaking, Fault


def hung_primary(arena: Arena) -> Breaking:
    lost = arena.primary()
    yield f"machine{lost}"
    arena.cluster.pause_host(lost)
    text = arena.wait_for_another_primary(lost)
    arena.hold(1, 5)
    arena.cluster.resume_host(lost)
    return text


def hung_web(arena: Arena) -> Breaking:
    web = arena.one_of("web")
    yield web
    arena.cluster.pause(web)
    arena.hold(5, 12)
    arena.cluster.resume(web)
    return ""


HANGING = [
    Fault("hung-primary", "SIGSTOP of PostgreSQL, Patroni and etcd of the primary", hung_primary),
    Fault("hung-web", "SIGSTOP of a whole web node, resumed seconds later", hung_web),
]
