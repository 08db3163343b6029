"""Going back to a moment, step by step as docs/backups.md says it, with the same programs."""

import shutil
from datetime import datetime

from chaos.cluster import Cluster
from chaos.layout import DATABASES
from chaos.operating import Operator, check


def copy(operator: Operator) -> None:
    """Copy the database into the archive, as its timer does every night."""
    operator.type(f"{operator.cluster.home}/archive_base.sh", "now", as_database=True)


def to(operator: Operator, moment: datetime) -> None:
    """Bring the whole cluster back to a moment; return when it serves again."""
    cluster = operator.cluster
    first = _stop(cluster)
    script = f"{cluster.home}/back_to{first}.sh"
    operator.type(script, f"{moment}", as_database=True)
    operator.type(script, "take", as_database=True)
    operator.patronictl("remove", "mesto", answers="mesto\nYes I am aware\n")
    cluster.start_one(f"patroni{first}")
    cluster.wait("the first database to be the primary", lambda: cluster.primary() == first)
    for number in range(1, DATABASES + 1):
        if number != first:
            shutil.rmtree(cluster.home / f"data/postgres{number}")
            cluster.start_one(f"patroni{number}")
    cluster.wait("everything to be replicated", cluster.is_replicated)
    copy(operator)
    check(cluster)
    cluster.start_kind("web", "worker")
    cluster.wait("every web node to answer", cluster.serves)


def _stop(cluster: Cluster) -> int:
    """Stop site and databases, the primary last: it archives all that it has; return its number."""
    for name in cluster.names_of("web", "worker"):
        cluster.terminate(name)
    last = cluster.primary() or 1
    for number in sorted(range(1, DATABASES + 1), key=lambda number: number == last):
        cluster.terminate(f"patroni{number}")
    return last
