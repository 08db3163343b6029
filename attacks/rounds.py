"""Mutated requests of everybody at once, in rounds: each begins with the site as it was.

What is sent changes the site, and sooner or later the accounts that send it: a form in the admin
takes one's own password away. Nobody could go on, so a round ends there, and the database is put
back. What was changed is told.
"""

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import psycopg

from attacks.mutating import Mutations
from attacks.report import Outcome
from attacks.site import Site
from attacks.snapshot import Snapshot
from attacks.surfing import ShutOut

#: Requests in one round, at most: spaces and places are deleted too, and much leads nowhere then.
LONGEST = 2500
#: Checking all bookings takes as long as hundreds of requests.
CHECKED_EVERY = 10


class Rounds:
    def __init__(self, site: Site, everybody: list[Mutations]) -> None:
        self.site, self.everybody = site, everybody
        self.snapshot = Snapshot(site.env["DATABASE_URL"])
        self.outcome = Outcome("Mutated requests, forms and operations")
        self.changes: Counter[str] = Counter()
        self.number = 0
        self.until = 0.0

    def run(self, count: int, minutes: float) -> Outcome:
        self.until = time.monotonic() + 60 * minutes
        while self.outcome.tried < count and self._round(count):
            self.number += 1
            self._tell()
            if time.monotonic() > self.until:
                self.outcome.notes.append(f"ended after {minutes:g} minutes, short of {count}")
                break
        self._note()
        return self.outcome

    def _round(self, count: int) -> bool:
        """Send one round; return whether there can be another."""
        over, before = Event(), self.outcome.tried
        each = -(-min(count - before, LONGEST) // len(self.everybody))
        try:
            for sender in self.everybody:
                if sender.surfer.login:
                    sender.surfer.sign_in()
            with ThreadPoolExecutor(len(self.everybody)) as pool:
                list(pool.map(lambda sender: self._send(sender, each, over), self.everybody))
            self.outcome.tried = sum(sender.tried for sender in self.everybody)
            is_last = self.outcome.tried >= count or time.monotonic() > self.until
            if is_last or self.number % CHECKED_EVERY == 0:
                self._check_bookings()
            self.changes.update(
                self.snapshot.changed([sender.surfer.login for sender in self.everybody])
            )
            self.snapshot.restore()
        except (ShutOut, httpx.HTTPError, psycopg.Error) as error:
            self.outcome.findings.append(
                f"round {self.number} could not be gone on from: {error!r}"
            )
            return False
        return self.outcome.tried > before

    def _send(self, sender: Mutations, count: int, over: Event) -> None:
        try:
            sender.send(count, lambda: over.is_set() or time.monotonic() > self.until)
        except ShutOut as error:
            self.changes[f"end of a round: {error}"] += 1
            over.set()
        except httpx.HTTPError as error:  # while signing in
            self.outcome.findings.append(f"{sender.surfer.login} at #{sender.tried}: {error!r}")
            over.set()

    def _tell(self) -> None:
        """A run takes long: say how far it is, and what was found so far."""
        found = [each for sender in self.everybody for each in sender.findings]
        found += self.outcome.findings
        said = f"round {self.number}: {self.outcome.tried} tried, {len(found)} found"
        print("\n  ! ".join([said, *found[-3:]]), file=sys.stderr, flush=True)

    def _check_bookings(self) -> None:
        try:
            self.site.manage("check_bookings")
        except RuntimeError as error:
            self.outcome.findings.append(f"after round {self.number}: {error}")

    def _note(self) -> None:
        statuses, kinds = Counter[int](), Counter[str]()
        for sender in self.everybody:
            self.outcome.findings += sender.findings
            statuses.update(sender.statuses)
            kinds.update(sender.kinds)
        targets = sum(len(sender.targets) for sender in self.everybody)
        shares = ", ".join(
            f"{each.surfer.login or 'nobody'} {each.tried}" for each in self.everybody
        )
        answers = ", ".join(f"{n} × {status}" for status, n in sorted(statuses.items()))
        self.outcome.notes += [
            f"{targets} forms, pages and operations, by role: {shares}",
            f"answers: {answers}",
            f"not answered: {dict(kinds)}",
            f"{self.number} rounds; what they changed about the accounts that sent them:",
            *(f"{n} × {change}" for change, n in self.changes.most_common()),
        ]
