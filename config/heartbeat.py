"""Workers leave a heartbeat, so that a dead one is noticed before somebody waits in vain."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from bookings.models import Booking
from config.models import WorkerHeartbeat

BEAT_SECONDS = 2.0
GONE_AFTER = timedelta(seconds=10)  # five missed heartbeats
FORGOTTEN_AFTER = timedelta(hours=1)  # a killed worker leaves its row behind
WAITS_TOO_LONG = timedelta(minutes=1)


class Heartbeat:
    """This process's heartbeat."""

    def __init__(self) -> None:
        self._row: WorkerHeartbeat | None = None

    def beat(self, *, now: datetime) -> int:
        """Record that this worker is alive. Returns 0: it isn't work."""
        rows = WorkerHeartbeat.objects
        if self._row is None or not rows.filter(pk=self._row.pk).update(seen_at=now):
            rows.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
            name = f"{socket.gethostname()} {os.getpid()}"[:255]
            self._row = rows.create(name=name, started_at=now, seen_at=now)
        return 0

    def stop(self) -> None:
        """Record that this worker is gone."""
        if self._row is not None:
            WorkerHeartbeat.objects.filter(pk=self._row.pk).delete()


@dataclass(frozen=True)
class Attendance:
    """Which workers are there, and how long requests have waited, at one instant."""

    now: datetime
    workers: int
    last_seen_at: datetime | None  # of any remembered worker
    oldest_request_at: datetime | None

    @classmethod
    def at(cls, now: datetime) -> "Attendance":
        seen = WorkerHeartbeat.objects.order_by("-seen_at").values_list("seen_at", flat=True)
        seen_at = list(seen)
        return cls(
            now=now,
            workers=sum(at > now - GONE_AFTER for at in seen_at),
            last_seen_at=seen_at[0] if seen_at else None,
            oldest_request_at=Booking.objects.waiting_since(),
        )

    @property
    def problems(self) -> list[str]:
        """Name what is wrong, for programs, most serious first."""
        found = []
        if not self.workers:
            found.append("no_worker")
        if self.oldest_request_at and self.oldest_request_at < self.now - WAITS_TOO_LONG:
            found.append("request_waits")
        return found

    @property
    def sentences(self) -> list[str]:
        """Say the same for people."""
        words = {"no_worker": self._no_worker, "request_waits": self._request_waits}
        return [words[problem]() for problem in self.problems]

    def _no_worker(self) -> str:
        said = [
            _("The background worker is not running: requests stay undecided, and no mail is sent.")
        ]
        if self.last_seen_at is not None:
            ago = lasting(self.now - self.last_seen_at)
            said.append(_("It was last seen %(time)s ago.") % {"time": ago})
        return " ".join(said)

    def _request_waits(self) -> str:
        assert self.oldest_request_at is not None
        waited = lasting(self.now - self.oldest_request_at)
        return _("A request has been waiting for its decision for %(time)s.") % {"time": waited}


def lasting(time: timedelta) -> str:
    """Write a length of time briefly, in minutes, hours or days."""
    minutes = int(time.total_seconds() // 60)
    if minutes < 1:
        return _("%(n)d s") % {"n": time.total_seconds()}
    if minutes < 120:
        return _("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)d h") % {"n": minutes // 60}
    return _("%(n)d d") % {"n": minutes // (24 * 60)}
