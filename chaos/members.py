"""A crowd of members who book, move, cancel and look, and write down all that they are told.

Each does one thing at a time on each of their devices, and thinks in between. The first few have
two devices, so that rules about one member meet requests at the same moment.
"""

import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread
from uuid import uuid4

from chaos.api_door import UNDECIDED, Api
from chaos.asking import Said, persist
from chaos.history import Act, Try, Writer
from chaos.page_door import Pages
from chaos.scene import Member, Place, Scene, Space

#: Seconds until an act is given up. What a killed process had begun is answered after a minute: see
#: LEASE in accounts.api.idempotency.
PATIENCE = 100.0
#: One in so many members has a second device.
TWO_DEVICES = 4
#: Whoever has that many bookings rather cancels some.
MANY = 6
#: How long everybody wants the same, in seconds.
A_FASHION = 3

#: What members do, and how often.
MIX = {
    "book": 36,
    "queue": 12,
    "amend": 16,
    "cancel": 13,
    "board": 9,
    "search": 7,
    "history": 7,
}
AIMS = {"contested": 45, "free": 20, "halls": 20, "quota": 15}


@dataclass(frozen=True)
class Wish:
    space: Space
    place: Place
    starts_at: datetime
    ends_at: datetime

    @property
    def all_day(self) -> "Wish":
        """Return the same place while its space is open on that day."""
        day = self.starts_at.astimezone(self.space.zone)
        starts_at, ends_at = (
            day.replace(hour=hour, minute=0) for hour in (self.space.opens, self.space.closes)
        )
        return Wish(self.space, self.place, starts_at, ends_at)


class Crowd:
    """Simulated members. Each act is asked again, with its key, until it is answered."""

    def __init__(
        self,
        site: str,
        writer: Writer,
        scene: Scene,
        *,
        rate: float = 12.0,  # acts per second of all of them together, when answers are quick
        seed: int = 1,
        patience: float = PATIENCE,
    ) -> None:
        self.site, self.writer, self.scene, self.patience = site, writer, scene, patience
        owners = [*scene.members, *scene.members[::TWO_DEVICES]]
        self.pause = len(owners) / rate
        self._devices = [Device(self, owner, seed * 1000 + n) for n, owner in enumerate(owners)]
        self._threads: list[Thread] = []
        self._over, self._lock = Event(), Lock()
        self._problems: list[str] = []

    def start(self) -> None:
        """Let them begin; returns at once."""
        self._threads = [
            Thread(target=self._play, args=(device,), daemon=True) for device in self._devices
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let nobody begin anything new; return when the last act of each is answered."""
        self._over.set()
        # An act is a look and a change, or a request and its decision.
        until = time.monotonic() + 2 * self.patience + 30
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
            if thread.is_alive():
                self.complain("a member doesn't come to an end")
        for device in self._devices:
            device.close()

    @property
    def problems(self) -> list[str]:
        """Return what no member should meet: a 500, a lost session, a booking that is missing.

        Also what went wrong in the crowd itself.
        """
        with self._lock:
            return list(self._problems)

    def complain(self, text: str) -> None:
        with self._lock:
            self._problems.append(f"{time.strftime('%H:%M:%S')} {text}")

    def write(self, act: Act) -> None:
        for each in act.tries:
            if each.status == 500:
                self.complain(f"{act.kind} by {act.door} {each.status}: {each.error}")
        self.writer.write(act)

    def think(self, seconds: float) -> bool:
        """Wait; tell whether to go on."""
        return not self._over.wait(seconds)

    def _play(self, device: "Device") -> None:
        try:
            device.run()
        except Exception:  # the run goes on without this one, and says so in the end
            self.complain(traceback.format_exc())


class Device:
    """A browser and a program of one member, who does one thing at a time with them."""

    def __init__(self, crowd: Crowd, member: Member, seed: int) -> None:
        self.crowd, self.member, self.rng = crowd, member, random.Random(seed)
        self.api = Api(crowd.site, member, self._complain)
        self.pages = Pages(crowd.site, member, self._complain)
        self.held: dict[str, Space] = {}  # what was confirmed here and not given back, by code

    def run(self) -> None:
        while self.crowd.think(self._pause()):
            self.act(self._kind())

    def close(self) -> None:
        self.api.close()
        self.pages.close()

    def act(self, kind: str) -> None:
        """Do one thing, by page or by program."""
        door = self.api if self.rng.random() < 0.5 else self.pages
        if kind in ("board", "search", "history"):
            self._read(kind, door)
        elif kind == "queue":
            self.queue(self.wish())
        elif kind == "book":
            self.book(door, self.wish())
        elif kind == "amend":
            code = self.rng.choice(list(self.held))
            self.amend(door, code, self.wish(self.held[code]))
        else:
            self.cancel(door, self.rng.choice(list(self.held)))

    # --- Wishing ---

    def _pause(self) -> float:
        return min(self.rng.expovariate(1 / self.crowd.pause), 4 * self.crowd.pause)

    def _kind(self) -> str:
        mix = dict(MIX)
        if not self.held:
            del mix["amend"], mix["cancel"]
        elif len(self.held) > MANY:
            mix["cancel"] *= 4
        return self.rng.choices(list(mix), list(mix.values()))[0]

    def wish(self, space: Space | None = None) -> Wish:
        """Want a place for a time; where it is contested, what everybody wants at the moment."""
        if space is None:
            space = self.crowd.scene.space(self.rng.choices(list(AIMS), list(AIMS.values()))[0])
        dice = self.rng
        if space.aim == "contested":
            dice = random.Random(f"{space.slug} {time.time() // A_FASHION}")
        place, day = dice.choice(space.places), dice.randrange(space.days)
        steps = (space.closes - space.opens) * 60 // space.step
        length = self.rng.randint(1, space.longest)
        middle = dice.randrange(space.longest, steps - space.longest)
        first = middle - self.rng.randrange(length)
        return Wish(
            space,
            place,
            space.instant(day, first * space.step),
            space.instant(day, (first + length) * space.step),
        )

    # --- Doing ---

    def _read(self, kind: str, door: Api | Pages) -> None:
        if kind == "board":
            self.look(door, self.wish())
        else:
            self._do(kind, door, door.search if kind == "search" else door.history)

    def look(self, door: Api | Pages, wish: Wish, moving: str = "") -> None:
        """See what is free. Only the page shows the whole day, with what is one's own."""
        times = wish.starts_at, wish.ends_at
        if isinstance(door, Api):
            self._do("search", door, lambda: door.free(wish.space, *times))
            return
        tries, said = persist(
            door.client, lambda: door.board(wish.space, *times, moving), self.crowd.patience
        )
        # A booking that can't be moved any more is shown instead.
        is_board = said.own != [moving]
        self._write("board", door, tries, said, wish.all_day if is_board else None)

    def book(self, door: Api | Pages, wish: Wish) -> Said:
        key = str(uuid4())
        if isinstance(door, Api):
            times = wish.starts_at, wish.ends_at
            said = self._do("book", door, lambda: door.book(wish.place, *times, key), wish, key)
        else:
            self.look(door, wish)
            wish, key = self._choose(door, wish, key)
            asked = wish.space, wish.place, wish.starts_at, wish.ends_at
            said = self._do("book", door, lambda: door.book(*asked, key), wish, key)
        self._remember(said, wish.space)
        return said

    def _choose(self, door: Pages, wish: Wish, key: str) -> tuple[Wish, str]:
        """Press a button of the board that was read, with the key in its form.

        Where the place is taken, take another; or insist, as with a page that was read earlier.
        """
        form = door.offered(wish.place)
        if form is None and self.rng.random() < 0.5:
            for place in wish.space.places:
                if form := door.offered(place):
                    wish = Wish(wish.space, place, wish.starts_at, wish.ends_at)
                    break
        return wish, form.fields["request_key"] if form else key

    def queue(self, wish: Wish) -> Said:
        """Request a booking, and look until somebody has decided it."""
        key, door = str(uuid4()), self.api
        times = wish.starts_at, wish.ends_at
        patience = self.crowd.patience
        tries, said = persist(door.client, lambda: door.request(wish.place, *times, key), patience)
        if said.told in UNDECIDED:
            more, decided = persist(door.client, lambda: door.decided(said.code), patience)
            tries, said = [*tries, *more], decided if decided.told else said
        self._write("queue", door, tries, said, wish, key)
        self._remember(said, wish.space)
        return said

    def amend(self, door: Api | Pages, code: str, wish: Wish) -> Said:
        key = str(uuid4())
        times = wish.starts_at, wish.ends_at
        if isinstance(door, Api):
            said = self._do(
                "amend", door, lambda: door.amend(code, wish.place, *times, key), wish, key, code
            )
        else:
            self.look(door, wish, moving=code)
            asked = wish.space, wish.place, *times
            said = self._do("amend", door, lambda: door.amend(code, *asked), wish, code=code)
        # Nobody knows where an unanswered one is, or one that was refused for what it is.
        if not said.told or said.text.startswith(("wrong_state", "404")):
            self.held.pop(code, None)
        return said

    def cancel(self, door: Api | Pages, code: str) -> Said:
        if isinstance(door, Api):
            key = str(uuid4())
            said = self._do("cancel", door, lambda: door.cancel(code, key), key=key, code=code)
        else:
            self._do("history", door, lambda: _as_read(door.look(code)))
            said = self._do("cancel", door, lambda: door.cancel(code), code=code)
        self.held.pop(code, None)
        return said

    def _do(
        self,
        kind: str,
        door: Api | Pages,
        once: Callable[[], Said],
        wish: Wish | None = None,
        key: str = "",
        code: str = "",
    ) -> Said:
        tries, said = persist(door.client, once, self.crowd.patience)
        self._write(kind, door, tries, said, wish, key, code)
        return said

    def _write(
        self,
        kind: str,
        door: Api | Pages,
        tries: list[Try],
        said: Said,
        wish: Wish | None = None,
        key: str = "",
        code: str = "",
    ) -> None:
        self.crowd.write(
            Act(
                member=self.member.username,
                kind=kind,
                door=door.name,
                tries=tries,
                told=said.told,
                key=key,
                code=said.code or code,
                place=wish.place.id if wish else 0,
                starts_at=wish.starts_at.isoformat() if wish else "",
                ends_at=wish.ends_at.isoformat() if wish else "",
                own=said.own,
                text=said.text or (tries[-1].error if not said.told else ""),
            )
        )

    def _remember(self, said: Said, space: Space) -> None:
        if said.told == "CONFIRMED":
            self.held[said.code] = space

    def _complain(self, text: str) -> None:
        self.crowd.complain(f"{self.member.username}: {text}")


def _as_read(said: Said) -> Said:
    """Return what a ticket says as something that was only read."""
    return Said("READ", own=[said.code], text=said.told) if said.code else said
