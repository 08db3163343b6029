"""Processes and hosts that are lost: SIGKILL."""

from chaos.faults.arena import Arena, Breaking, Fault


def web_process(arena: Arena) -> Breaking:
    web = arena.one_of("web")
    yield web
    arena.cluster.kill_child(web)
    return ""


def web_node(arena: Arena) -> Breaking:
    web = arena.one_of("web")
    yield web
    arena.cluster.kill(web)
    arena.hold(2, 6)
    arena.cluster.start_one(web)
    return ""


def worker(arena: Arena) -> Breaking:
    name = arena.one_of("worker")
    yield name
    arena.cluster.crash(name)
    return ""


def primary(arena: Arena) -> Breaking:
    lost = arena.primary()
    yield f"postgres{lost}"
    arena.cluster.kill(f"postgres{lost}")
    return arena.wait_for_another_primary(lost)


def primary_host(arena: Arena) -> Breaking:
    lost = arena.primary()
    yield f"machine{lost}"
    arena.cluster.kill_host(lost)
    text = arena.wait_for_another_primary(lost)
    arena.hold(1, 5)
    arena.cluster.start_host(lost)
    return text


def replica(arena: Arena) -> Breaking:
    number = arena.replica()
    yield f"postgres{number}"
    arena.cluster.kill(f"postgres{number}")
    return ""


def replica_host(arena: Arena) -> Breaking:
    number = arena.replica()
    yield f"machine{number}"
    arena.cluster.kill_host(number)
    arena.hold(5, 10)
    arena.cluster.start_host(number)
    return ""


def etcd(arena: Arena) -> Breaking:
    member = arena.one_of("etcd")
    yield member
    arena.cluster.kill(member)
    arena.hold(3, 8)
    arena.cluster.start_one(member)
    return ""


def haproxy(arena: Arena) -> Breaking:
    yield "haproxy"
    arena.cluster.crash("haproxy")
    return ""


KILLING = [
    Fault("web-process", "SIGKILL of one process of a web node", web_process),
    Fault("web-node", "SIGKILL of a whole web node, started again seconds later", web_node),
    Fault("worker", "SIGKILL of a worker", worker),
    Fault("primary", "SIGKILL of the primary's PostgreSQL", primary),
    Fault("primary-host", "SIGKILL of PostgreSQL, Patroni and etcd of the primary", primary_host),
    Fault("replica", "SIGKILL of a replica's PostgreSQL", replica),
    Fault("replica-host", "SIGKILL of PostgreSQL, Patroni and etcd of a replica", replica_host),
    Fault("etcd", "SIGKILL of an etcd member, started again seconds later", etcd),
    Fault("haproxy", "SIGKILL of haproxy", haproxy),
]
