"""Two complete spaces, and the people of one, who try to get at the other."""

import re
from functools import partial
from html import unescape
from itertools import product, repeat

from django.db import connection
from django.db.models import Model
from django.test import Client

from accounts.factories import UserFactory
from accounts.models import StaffRole
from accounts.tests.programs import issue
from bookings.tests.programs import Program
from config.tests.crosswise import Secrets, rows_of, tables
from config.tests.stage import DAY, NOON, Venue, staff_of
from config.tests.walk import CODES, FILLED, PARAMETER, key_of, path_of, token_for, undone
from config.tests.watching import Writes
from notifications.models import Attempt
from spaces.factories import ClosureFactory

#: Anything else may change a row.
READING = re.compile(r"SELECT |SAVEPOINT |RELEASE |ROLLBACK ")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Both:
    """Loft, whose everything is secret, and Away, whose people try to get at it."""

    def __init__(self):
        self.loft = Venue("Loft", UserFactory.create(username="alice"), NOON)
        self.away = Venue("Away", UserFactory.create(username="carol"), NOON)
        self.manager = staff_of(self.loft.space, "MANAGER", "marat")
        people = {
            "ruler": staff_of(self.away.space, "MANAGER", "ruler"),
            "abroad": self.away.host,
            "carol": self.away.member,
        }
        for venue in (self.loft, self.away):
            ClosureFactory.create(space=venue.space, starts_at=NOON + 9 * DAY)
            Attempt.objects.create(
                delivery=venue.rows["delivery"], at=NOON, milliseconds=1, response_body="thanks"
            )
        insiders = (self.loft.member, self.loft.host, self.manager)
        self.secrets = Secrets(self.loft.space, "zqloft").plant(insiders)
        self.sessions = {who: key_of(person) for who, person in people.items()}
        self.tokens = {
            who: Program(Client(), authorization=f"Bearer {issue(person, now=NOON)[1]}")
            for who, person in people.items()
        }
        self.rows = {venue.name: self._rows(venue) for venue in (self.loft, self.away)}
        self.counterparts = dict(self._counterparts())
        self.insiders = list(insiders)
        self.before = rows_of(self.loft.space, self.insiders)

    def _rows(self, venue):
        """Return a row of each table, by the name that addresses have for it."""
        found = {}
        for model, way in tables():
            row = model._base_manager.filter(**{way: venue.space.pk}).order_by("pk").first()
            if row is not None:
                found.setdefault(model._meta.model_name, row)
        found |= {"user": venue.host, "staffrole": StaffRole.objects.get(user=venue.host)}
        return {**found, **venue.rows}

    def _counterparts(self):
        """Yield, for each code in Away, the code of the same kind of row in Loft."""
        for model, way in tables():
            if any(each.name == "code" for each in model._meta.fields):
                of_loft, of_away = (
                    model._base_manager.filter(**{way: venue.space.pk}).order_by("pk")
                    for venue in (self.loft, self.away)
                )
                theirs = list(of_loft)
                for number, mine in enumerate(of_away if theirs else ()):
                    yield str(mine.code), str(theirs[number % len(theirs)].code)
        yield "away", "loft"
        yield self.away.member.username, self.loft.member.username
        yield self.away.host.username, self.loft.host.username

    def paths(self, route):
        """Return a route's addresses with something of Loft in at least one place of each."""
        names = [found[1] or found[2] for found in PARAMETER.finditer(route)]
        found = dict.fromkeys([path_of(route, self.of(self.loft, route))])
        for venues in product((self.loft, self.away), repeat=len(names)):
            if self.loft in venues:
                filled = PARAMETER.sub(partial(self.value, route, iter(venues)), route)
                found["/" + filled.translate({ord("^"): None, ord("$"): None})] = None
        return list(found)

    def own(self, route):
        """Return Away's own address of a route."""
        filled = PARAMETER.sub(partial(self.value, route, repeat(self.away)), route)
        return "/" + filled.translate({ord("^"): None, ord("$"): None})

    def of(self, venue, route):
        rows = self.rows[venue.name]
        link = {"guestlink": venue.rows["guestlink"]} if route.startswith("g/") else {}
        return {**rows, **link}

    def value(self, route, venues, found):
        venue = next(venues)
        rows = self.of(venue, route)
        for beginning, row in CODES.items():
            if route.startswith(beginning):
                rows = {**rows, "booking": rows[row]}
        parameter = found[1] or found[2]
        if parameter == "slug":
            return venue.space.slug
        named = next((row for row in rows if f"/{row}/" in route), "space")
        row = rows.get(filled := FILLED[parameter].format(row=named))
        if parameter == "token":
            if route.startswith("door/"):
                return str(rows["doorview"].key)
            return token_for(route, rows)
        if not isinstance(row, Model):
            return filled
        return str(row.code if parameter == "code" else row.pk)

    def swapped(self, value):
        """Return what a field would contain if it meant Loft's row of the same kind."""
        text = ID.sub(lambda at: self.counterparts.get(at[0], at[0]), str(value))
        return self.counterparts.get(text, text)

    def check(self, client, method, path, fields, *, new=False):
        """Ask; tell what is found of Loft in the answer, or has changed in its rows."""
        writes = Writes(READING)
        with undone():
            with connection.execute_wrapper(writes):
                if isinstance(client, Program):
                    page = client.send(method, path, fields or None)
                else:
                    page = getattr(client, method.lower())(path, fields)
            text = b"".join(page) if page.streaming else page.content
            shown = self.secrets.in_text(unescape(text.decode(errors="replace")))
            found = [f"{method} {path} shows {word}" for word in shown]
            if writes.statements:
                found += self.changes(f"{method} {path} {fields}", new=new)
        assert page.status_code < 500, f"{method} {path} {fields}: {page.status_code}"
        return found

    def changes(self, did, *, new):
        now = rows_of(self.loft.space, self.insiders)
        gone = {key for key, row in self.before.items() if now.get(key) != row}
        came = set() if new else now.keys() - self.before.keys()
        return [f"{did} changed {key}" for key in sorted(gone | came, key=str) if key[0] != "Place"]
