"""The day itself: who moves, cancels, comes, walks in, stays longer, leaves and doesn't come."""

from datetime import time, timedelta

from config.tests.evening.house import follow, text
from config.tests.evening.ledger import MINUTE, QUARTER, TABLES

LATE = 20 * MINUTE
#: Every so manieth party doesn't come, or leaves a quarter of an hour early.
MISSING, EARLY = 9, 3
#: How many come without a booking, and when.
WALK_INS = {"12:30": [2], "18:30": [3], "19:45": [4], "20:30": [2], "22:15": [1, 4, 4]}
#: When a shift begins and ends to seat people.
SHIFTS = [(time(12), time(13, 30)), (time(18), time(22, 30))]


class Service:
    """The staff and their list, hour by hour."""

    def __init__(self, house, doors, ledger, clock):
        self.house, self.doors, self.ledger, self.clock = house, doors, ledger, clock
        self.reader = house.program("marat")
        self.numbered = 0
        self.missing, self.early = set(), set()
        self.tried = {"extended": 0, "kept": 0, "undone": 0, "released": 0, "warned": 0}

    # --- Before -----------------------------------------------------------------------------------

    def rearrange(self):
        """Move, edit and cancel, each by its own door; a clash changes nothing."""
        house = self.house
        held = {channel: iter(self._of(channel)) for channel in ("PAGE", "GUEST", "STAFF", "API")}
        for entry, move in [
            (next(held["STAFF"]), self._by_staff),
            (next(held["PAGE"]), self._by_member),
            (next(held["GUEST"]), self._by_link),
        ]:
            place, starts = self._elsewhere(entry)
            ends = starts + (entry.ends - entry.starts)
            assert move(entry, place, starts, ends).status_code in (302, 303)
            entry.place, entry.starts, entry.ends = place, starts, ends
            entry.happens("MOVED", "CONFIRMED", "moved")
        first, second = next(held["STAFF"]), next(held["STAFF"])
        clash = self._by_staff(first, second.place, second.starts, second.ends)
        assert clash.status_code == 409 or "arrive at" in text(clash)
        noted = self._staff_form(first) | {"note": "Nuts!"}
        follow(house.host, house.host.post(self._page(first), noted))
        first.happens("AMENDED", "CONFIRMED")
        self.house.work()
        by_member, by_guest = next(held["PAGE"]), next(held["GUEST"])
        by_staff, by_program = next(held["STAFF"]), next(held["API"])
        member = house.members[by_member.who]
        follow(member, member.post(f"/bookings/{by_member.code}/cancel/"))
        follow(house.visitor, house.visitor.post(f"/g/{by_guest.token}/cancel/"))
        cancel = f"/staff/{house.slug}/bookings/{by_staff.code}/cancel/"
        follow(house.host, house.host.post(cancel, {"reason": "They rang"}))
        answer = self.doors.api.delete(f"/api/v1/bookings/{by_program.code}")
        assert answer.json()["state"] == "CANCELLED"
        for entry in (by_member, by_guest, by_staff, by_program):
            entry.happens("CANCELLED", "CANCELLED", "cancelled")
        self.house.work()

    def _of(self, channel):
        """Return whose evening can be rearranged: parties of tables that others don't need."""
        return [e for e in self.ledger.entries if e.channel == channel and e.people <= 4]

    def _elsewhere(self, entry):
        """Return a place and a time that the list has room for."""
        length = entry.ends - entry.starts
        for starts in self._starts(entry):
            if self.ledger.is_full(starts, entry.people, entry.channel):
                continue
            for place, (seats, fewest, *_rest) in TABLES.items():
                fits = fewest <= entry.people <= seats
                ends = starts + length
                if fits and self.ledger.is_free(place, starts, ends, but=entry):
                    return place, starts
        raise AssertionError("The list is full.")

    def _starts(self, entry):
        midnight = entry.starts.replace(hour=0, minute=0)
        first = midnight + timedelta(hours=18)
        return [at for n in range(16) if (at := first + n * QUARTER) != entry.starts]

    def _page(self, entry):
        return f"/staff/{self.house.slug}/bookings/{entry.code}/"

    def _staff_form(self, entry):
        form = self.house.host.get(self._page(entry)).context["form"]
        return {field.html_name: field.value() or "" for field in form}

    def _by_staff(self, entry, place, starts, ends):
        sent = self._staff_form(entry) | {
            "place": self.doors.code_of(place),
            "day": f"{starts:%Y-%m-%d}",
            "starts": f"{starts:%H:%M}",
            "ends": f"{ends:%H:%M}",
        }
        return self.house.host.post(self._page(entry), sent)

    def _by_member(self, entry, place, starts, ends):
        address = f"/bookings/{entry.code}/reschedule/"
        return self.house.members[entry.who].post(address, self._times(place, starts, ends))

    def _by_link(self, entry, place, starts, ends):
        address = f"/g/{entry.token}/move/"
        return self.house.visitor.post(address, self._times(place, starts, ends))

    def _times(self, place, starts, ends):
        written = {"starts_at": f"{starts:%Y-%m-%dT%H:%M}", "ends_at": f"{ends:%Y-%m-%dT%H:%M}"}
        return {"place": self.doors.code_of(place), **written}

    # --- Hour by hour -----------------------------------------------------------------------------

    def run(self, quarters):
        coming = sorted((e for e in self.ledger.entries if e.holds), key=lambda e: e.starts)
        self.missing = {e.code for e in coming[4::MISSING]}
        members = [e for e in coming if e.channel == "PAGE" and e.starts.hour >= 19]
        self.missing.add(next(e.code for e in members if not e.email))
        self.early = {e.code for e in coming[::EARLY]}
        for now in quarters:
            self.clock.now = now
            self.house.work()
            self._time_is_over(now)
            for entry in [e for e in self.ledger.entries if e.holds]:
                if entry.starts == now and entry.code not in self.missing:
                    self._arrive(entry)
                elif entry.state == "CHECKED_IN" and self._goes(entry, now):
                    self._leave(entry, now)
            self._stay_longer(now)
            self.clock.now = now + 5 * MINUTE
            self._give_up(now - QUARTER)
            for people in WALK_INS.get(f"{now:%H:%M}", ()):
                self._walk_in(people)
        assert min(self.tried.values()) >= 1, self.tried

    def _goes(self, entry, now):
        return entry.code in self.early and now == entry.ends - QUARTER and now > entry.starts

    def _time_is_over(self, now):
        for entry in self.ledger.entries:
            if entry.holds and entry.ends <= now:
                entry.happens("COMPLETED", "COMPLETED")

    def _press(self, verb, entry, number=""):
        """Press a button on a row; tell whether it was done."""
        address = f"/staff/{self.house.slug}/visits/"
        answer = self.house.host.post(address, {verb: f"{entry.code}{number}"})
        assert answer.status_code == 303
        return "done=" in answer["Location"]

    def _arrive(self, entry):
        """Check in as one's own way leads, then be seated by the staff."""
        if entry.who and entry.channel == "PAGE":
            member = self.house.members[entry.who]
            follow(member, member.post(f"/bookings/{entry.code}/check-in/"))
        elif entry.token:
            visitor = self.house.visitor
            follow(visitor, visitor.post(f"/g/{entry.token}/check-in/"))
        else:
            assert self._press("arrive", entry)
        entry.happens("CHECKED_IN", "CHECKED_IN")
        assert self._press("seat", entry)
        entry.happens("SEATED", "CHECKED_IN")

    def _leave(self, entry, now):
        assert self._press("leave", entry)
        entry.happens("COMPLETED", "COMPLETED")
        if not self.tried["undone"]:  # a slip of the hand
            assert self._press("undo", entry, f".{len(entry.events)}")
            entry.happens("UNDONE", "CHECKED_IN")
            self.tried["undone"] += 1
            return
        entry.ends = now

    def _stay_longer(self, now):
        """Let one party stay that can, and one that can't."""
        longer = 2 * QUARTER
        for entry in self.ledger.entries:
            if entry.state != "CHECKED_IN" or entry.ends != now + QUARTER:
                continue
            if entry.code in self.early:
                continue
            ends = entry.ends + longer
            is_open = ends <= self.ledger.closing(entry.starts)
            may = is_open and self.ledger.is_free(entry.place, entry.ends, ends)
            name = "extended" if may else "kept"
            if self.tried[name] < 2:
                self.tried[name] += 1
                assert self._press("extend", entry) == may, entry
                if may:
                    entry.ends = ends
                    entry.happens("EXTENDED", "CHECKED_IN")

    def _give_up(self, began):
        """Nobody came in time: the worker gives the table back, and somebody has it that second."""
        lost = [
            e
            for e in self.ledger.entries
            if e.state == "CONFIRMED" and e.starts == began and e.code in self.missing
        ]
        if not lost:
            return
        self.clock.now = began + LATE - timedelta(seconds=1)
        self.house.work()
        assert self._states(lost) == {"CONFIRMED"}
        self.clock.now = began + LATE
        self.house.work()
        assert self._states(lost) == {"NO_SHOW"}
        for entry in lost:
            entry.happens("NO_SHOW", "NO_SHOW", "nobody")
            self.tried["released"] += 1
        self._rebook(lost[0], began)

    def _states(self, entries):
        return {self.reader.get(f"/api/v1/bookings/{e.code}").json()["state"] for e in entries}

    def _rebook(self, entry, began):
        """Take a table that was just given back: by a program, or by people who stand there."""
        starts, people = began + 2 * QUARTER, min(2, entry.people)
        is_seated = any(first <= starts.time() <= last for first, last in SHIFTS)
        if self.tried["released"] % 2 and is_seated:
            expected = self.ledger.expects(starts, people, "API", entry.place)
            told = self.doors.by_program(starts, people, entry.place)
            assert (told.place or told.refused) == expected, (entry, told, expected)
            if told.place:
                ends = self.ledger.turn(starts, people)
                self.ledger.add("rita", people, told.place, starts, ends, "API", told.code, "rita")
        elif self.ledger.free_until(entry.place, began + QUARTER) >= began + LATE + QUARTER:
            self._walk_in(people, entry.place)

    def _walk_in(self, people, place=""):
        """Seat people who stand there; of too many at once the page warns, and they insist."""
        now = self.clock.now.replace(second=0)
        start = now - timedelta(minutes=now.minute % 15)
        expected, ends = self.ledger.expects_walk_in(now, people)
        if place:
            until = self.ledger.free_until(place, start)
            expected, ends = place, min(self.ledger.turn(start, people), until)
        if expected is None:
            assert "Nothing is free now" in self.doors.nothing_for(people)
            return
        is_full = self.ledger.is_full(start, people, "WALK_IN")
        more = {"place": self.doors.code_of(place)} if place else {}
        told, said = self.doors.walk_in(people, **more)
        assert told.place == expected, (told, expected)
        assert f"until {ends:%-H:%M}" in said, (ends, said)
        self.numbered += 1
        assert f"Walk-in {self.numbered} is seated" in said
        self.tried["warned"] += is_full
        name = f"Walk-in {self.numbered}"
        entry = self.ledger.add(name, people, told.place, start, ends, "WALK_IN", told.code)
        entry.happens("SEATED", "CHECKED_IN")

    # --- Afterwards -------------------------------------------------------------------------------

    def strike(self, wanted):
        """Who didn't come can't book for a while, unless the staff forgive it for a reason."""
        missed = [e for e in self.ledger.entries if e.state == "NO_SHOW" and not e.email]
        lost = next(e for e in missed if e.channel == "PAGE")
        told = self.doors.by_page(lost.who, wanted, 2)
        assert told.refused == "too_many_no_shows"
        page = f"/staff/{self.house.slug}/no-shows/"
        for entry in self.ledger.entries:
            if entry.state == "NO_SHOW" and entry.who == lost.who:
                sent = {"booking": entry.code, "reason": "A broken tram"}
                follow(self.house.manager, self.house.manager.post(page, sent))
                entry.events.append("FORGIVEN")
        told = self.doors.by_page(lost.who, wanted, 2)
        member = self.house.members[lost.who]
        follow(member, member.post(f"/bookings/{told.code}/cancel/"))
