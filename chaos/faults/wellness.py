"""Whether every node of a cluster is well, by its own word."""

import psycopg

from chaos.cluster import Cluster

BEATS = "SELECT name, seen_at::text FROM config_workerheartbeat"
WAITING = """
    SELECT
        (SELECT count(*) FROM bookings_booking WHERE state IN ('CREATED', 'CHECKING_AVAILABILITY')),
        (SELECT count(*) FROM notifications_delivery WHERE state = 'PENDING'),
        (SELECT count(*) FROM notifications_delivery),
        (SELECT count(*) FROM bookings_bookingevent)
"""


class Wellness:
    """Remembers heartbeats: a worker is well when it has left another one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._earlier: dict[str, str] | None = None

    def begin(self) -> None:
        """From here on, every worker has to give a sign of life."""
        self._earlier = None

    def problem(self) -> str:
        """Return the first thing that isn't well; nothing if everything is."""
        cluster = self._cluster
        gone = [name for name in cluster.names if cluster.state(name) != "running"]
        if gone:
            return f"{', '.join(gone)} not running"
        if not cluster.has_etcd():
            return "a member of etcd isn't well"
        if not cluster.is_replicated():
            return "the databases don't replicate"
        if not cluster.serves():
            return "a web node isn't ready"
        return self._silent_worker()

    def is_well(self) -> bool:
        return not self.problem()

    def waiting(self) -> tuple[int, ...]:
        """Return how many requests and deliveries wait; and how many deliveries and events are."""
        return tuple(int(each) for each in self._rows(WAITING)[0])

    def _silent_worker(self) -> str:
        try:
            beats = {row[0]: row[1] for row in self._rows(BEATS)}
        except psycopg.Error:
            return "the database doesn't answer"
        if self._earlier is None:
            self._earlier = beats
        for worker in self._cluster.names_of("worker"):
            pid = self._cluster.pids(worker)[0]
            names = [name for name in beats if name.endswith(f" {pid}")]
            if not any(beats[name] != self._earlier.get(name) for name in names):
                return f"{worker} gives no sign of life"
        return ""

    def _rows(self, query: str) -> list[tuple[str, ...]]:
        with psycopg.connect(self._cluster.database, connect_timeout=3) as connection:
            return connection.execute(query.encode()).fetchall()
