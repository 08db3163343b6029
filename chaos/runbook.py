"""The runbook of deploy/README.md, played on one machine: python -m chaos.runbook

Starts a cluster and lets a crowd book, while what an operator does is done with the same programs:
switchover, reinit of a standby, replacing a machine that is lost with its disk. Then, without the
crowd, a restore from a dump, going back to a moment, and a second start on the data that is there.
Prints a transcript; exits with 1 unless everything came back and no confirmed booking was lost.
"""

import shutil
import sys
import time
from pathlib import Path

import psycopg

from chaos import going_back, history
from chaos.cluster import Cluster, NotStarted
from chaos.layout import DATABASES, ROOT
from chaos.members import Crowd
from chaos.operating import Failed, Operator, check, count
from chaos.programs import PATH, Missing
from chaos.releases import NOW
from chaos.scene import Scene
from chaos.verdict import judge

HOME = ROOT / "var/runbook"


def switch_over(operator: Operator) -> None:
    cluster, before = operator.cluster, operator.cluster.primary()
    operator.patronictl("switchover", "mesto", "--force")
    cluster.wait("another primary", lambda: cluster.primary() not in (before, None))
    cluster.wait("everything to be replicated", cluster.is_replicated)


def copy_again(operator: Operator) -> None:
    number, began = standby(operator.cluster), time.time()
    operator.patronictl("reinit", "mesto", f"node{number}", "--force")
    wait_for_new(operator.cluster, number, began)
    operator.patronictl("list")


def replace(operator: Operator) -> None:
    """Lose a machine with its disk, and put an empty one in its place."""
    cluster = operator.cluster
    lost = standby(cluster)
    another = next(n for n in range(1, DATABASES + 1) if n != lost)
    machine = cluster.machine(lost)
    cluster.kill_host(lost)
    for name in (f"etcd{lost}", f"postgres{lost}"):
        shutil.rmtree(cluster.home / "data" / name)
    members = operator.etcdctl(another, "member", "list")
    known = next(line for line in members.splitlines() if f", etcd{lost}," in line)
    operator.etcdctl(another, "member", "remove", known.partition(",")[0])
    peer = f"http://{machine.host}:{machine.etcd_peer_port}"
    operator.etcdctl(another, "member", "add", f"etcd{lost}", f"--peer-urls={peer}")
    configuration = cluster.home / f"etcd{lost}.yml"
    text = configuration.read_text()
    configuration.write_text(text.replace("state: new", "state: existing"))
    began = time.time()
    cluster.start_host(lost)
    cluster.wait("etcd to agree", cluster.has_etcd)
    wait_for_new(cluster, lost, began)
    configuration.write_text(text)  # it has its data from now on, and looks there
    operator.etcdctl(another, "member", "list")
    operator.patronictl("list")


def restore(operator: Operator) -> None:
    """Dump, lose all bookings, restore; nobody serves meanwhile."""
    cluster, dump = operator.cluster, str(operator.cluster.home / "mesto.dump")
    bookings = count(cluster)
    operator.postgres("pg_dump", "--format=custom", f"--file={dump}", cluster.database)
    for name in cluster.names_of("web", "worker"):
        cluster.terminate(name)
    with psycopg.connect(cluster.database) as connection:
        connection.execute("TRUNCATE bookings_booking CASCADE")
    operator.postgres(
        "pg_restore",
        *("--clean", "--if-exists", "--single-transaction", f"--dbname={cluster.database}", dump),
    )
    check(cluster)
    if count(cluster) != bookings:
        raise Failed(f"{bookings} bookings were dumped, {count(cluster)} are there.")
    cluster.start_kind("web", "worker")
    cluster.wait("every web node to answer", cluster.serves)


def go_back(operator: Operator) -> None:
    """Lose all bookings, and go back to the moment before."""
    cluster, bookings = operator.cluster, count(operator.cluster)
    with psycopg.connect(cluster.database) as connection:
        found = connection.execute("SELECT clock_timestamp()").fetchone()
        connection.rollback()
        connection.execute("TRUNCATE bookings_booking CASCADE")
    assert found is not None
    going_back.to(operator, found[0])
    if count(cluster) != bookings:
        raise Failed(f"There were {bookings} bookings, now there are {count(cluster)}.")


def start_again(cluster: Cluster) -> None:
    bookings = count(cluster)
    cluster.end_all()
    cluster.start_again()
    if count(cluster) != bookings:
        raise Failed(f"There were {bookings} bookings, now there are {count(cluster)}.")
    check(cluster)


def standby(cluster: Cluster) -> int:
    """Return a standby that no commit waits for."""
    name = next(each["name"] for each in cluster.members() if each["role"] == "replica")
    return int(name.removeprefix("node"))


def wait_for_new(cluster: Cluster, number: int, began: float) -> None:
    """Return when a database has been started since then, and follows."""

    def is_new() -> bool:
        try:
            with psycopg.connect(cluster.database_of(number), connect_timeout=2) as connection:
                asked = "SELECT extract(epoch FROM pg_postmaster_start_time()), pg_is_in_recovery()"
                found = connection.execute(asked).fetchone()
        except psycopg.Error:
            return False
        return bool(found and found[1] and float(found[0]) > began)

    cluster.wait(f"node{number} to be copied", is_new)
    cluster.wait("everything to be replicated", cluster.is_replicated)


def play(home: Path) -> bool:
    """Play all of it in a new cluster; return whether every promise was kept."""
    shutil.rmtree(home, ignore_errors=True)
    NOW.build()
    cluster = Cluster(home, webs=2, workers=1, archived=True)
    operator = Operator(cluster)
    written = cluster.home / "history.jsonl"
    with cluster:
        crowd = Crowd(
            cluster.site, history.Writer(written), Scene.prepare(cluster.settings), rate=6
        )
        crowd.start()
        going_back.copy(operator)
        for title, step in (
            ("Fail over on purpose", switch_over),
            ("Copy a standby again", copy_again),
            ("Replace a node", replace),
        ):
            print(f"\n## {title}\n", flush=True)
            step(operator)
        crowd.stop()
        verdict = judge(written, cluster.database)
        print(f"\nMeanwhile: {verdict.counts}", *verdict.wrong.items(), sep="\n", flush=True)
        print("\n## Restore\n", flush=True)
        restore(operator)
        print("\n## To a point in time\n", flush=True)
        go_back(operator)
        print("\n## Start again on the data that is there\n", flush=True)
        start_again(cluster)
    return verdict.is_good and not verdict.counts.unanswered


def main() -> int:
    missing = [name for name in ("etcdctl", "patronictl") if not shutil.which(name, path=PATH)]
    if missing:
        print(f"Missing: {', '.join(missing)} (Debian: etcd-client, patroni)", file=sys.stderr)
        return 1
    try:
        return 0 if play(HOME) else 1
    except (Missing, NotStarted, Failed) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
