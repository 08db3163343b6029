"""A program that sends no keys, as the API allows: what is lost on the way stays unknown to it.

It wants another hour each time, which nobody else wants. So each of its requests has become at most
one booking, and none where it was told that there is none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread

import httpx

from chaos import records
from chaos.checker import Booking
from chaos.scene import Member, Place, Space

PAUSE, DOWN = 0.05, 0.5  # seconds between two requests; while nobody serves
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Asked:
    place: Place
    starts_at: datetime
    status: int  # of the answer; 0 without one
    text: str = ""

    @property
    def is_refused(self) -> bool:
        return 400 <= self.status < 500

    def __str__(self) -> str:
        return f"place {self.place.id} at {self.starts_at:%Y-%m-%dT%H:%M%z}, told {self.status}"


class Keyless:
    def __init__(self, site: str, member: Member, space: Space) -> None:
        self._client = httpx.Client(
            base_url=site, headers={"Authorization": f"Bearer {member.token}"}, timeout=20
        )
        self._space, self.asked = space, list[Asked]()
        self._over = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    @property
    def answered(self) -> int:
        return sum(each.status > 0 for each in self.asked)

    @property
    def told(self) -> Counter[int]:
        """Count the answers by their status."""
        return Counter(each.status for each in self.asked)

    def wrong(self, url: str) -> Iterator[str]:
        """Find requests that became two bookings, or one although they were refused."""
        made: dict[tuple[int, datetime], list[Booking]] = defaultdict(list)
        for booking in records.read(url)[0]:
            made[booking.place, booking.starts_at].append(booking)
        for each in self.asked:
            found = made[each.place.id, each.starts_at]
            if len(found) > 1:
                yield f"one request without a key became {len(found)} bookings: {each}"
            if each.is_refused and any(booking.occupies for booking in found):
                yield f"refused, but booked: {each}"

    def _run(self) -> None:
        # After the days that everybody else books.
        first = self._space.instant(self._space.days + 1, 0)
        number = 0
        while not self._over.wait(PAUSE):
            place = self._space.places[number % len(self._space.places)]
            self._ask(place, first + timedelta(days=number // len(self._space.places)))
            number += 1

    def _ask(self, place: Place, starts_at: datetime) -> None:
        body = {
            "place": place.code,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + HOUR).isoformat(),
        }
        try:
            answer = self._client.post("/api/v1/bookings", json=body)
        except httpx.TransportError as error:
            self.asked.append(Asked(place, starts_at, 0, repr(error)))
            self._over.wait(DOWN)
        else:
            self.asked.append(Asked(place, starts_at, answer.status_code, answer.text[:200]))
