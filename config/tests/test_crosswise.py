"""Two spaces with everything in them: nobody of one sees or changes anything of the other.

All addresses and operations there are, the admin's too; GET and POST; everything of the other
space in each part of an address, in each field of a form, in each query. What is answered is
searched for words that stand only in the other space's rows, and its rows are compared.
"""

import re
from functools import partial
from html import unescape
from itertools import product, repeat

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import get_resolver

from accounts.factories import UserFactory
from accounts.models import StaffRole
from accounts.tests.programs import issue
from bookings.guests import GuestQuerySet
from bookings.querysets import BookingQuerySet
from bookings.tests.programs import Program
from bookings.waiting import WaitingQuerySet
from config.api import api
from config.tests.clock import Clock
from config.tests.crosswise import Secrets, rows_of, tables
from config.tests.page_rights import KEYS, ROWS
from config.tests.posted import sent
from config.tests.stage import DAY, NOON, Venue, staff_of
from config.tests.test_graphql import all_of
from config.tests.walk import (
    CODES,
    FILLED,
    PARAMETER,
    addresses,
    browser,
    key_of,
    path_of,
    token_for,
    undone,
)
from config.tests.watching import Writes
from notifications.models import Attempt
from notifications.querysets import DeliveryQuerySet, EndpointQuerySet, FeedQuerySet
from spaces.factories import ClosureFactory
from spaces.querysets import SpaceQuerySet

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ROUTES = list(addresses(get_resolver().url_patterns))
#: The address is the secret, whoever has it: see `test_page_matrix`.
BY_KEY = {row.split()[1] for row in KEYS} | {
    *("guest_booking", "guest_cancel", "guest_check_in", "guest_move", "waiting", "waiting_yes"),
    *("waiting_no", "door", "check_in_link", "here", "calendar_feed", "unsubscribe", "join"),
}
#: Everybody may book in every space: rows of one's own come to be there.
BOOKING = {"bookings", "guest", "api-1.0.0:create_booking", "api-1.0.0:create_bookings"}
#: Anything else may change a row.
READING = re.compile(r"SELECT |SAVEPOINT |RELEASE |ROLLBACK ")
WHO = ("ruler", "abroad", "carol")
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


@pytest.fixture
def both(db, clock: Clock):
    clock.now = NOON
    return Both()


def pages(both, only=""):
    """Ask for everything of Loft at every address there is; return what was found of it."""
    found = []
    for name, route in ROUTES:
        if route.startswith("api/") or name in BY_KEY or not re.search(only, name):
            continue
        is_staffs = route.startswith(("staff/", "admin/"))
        for who in ("ruler", "abroad" if is_staffs else "carol"):
            client = browser(both.sessions, who)
            queries = theirs(both)
            for path in both.paths(route) if PARAMETER.search(route) else ["/" + route]:
                found += both.check(client, "GET", path, {})
                new = name in BOOKING
                found += both.check(client, "POST", path, fields_for(both, name), new=new)
            found += both.check(client, "GET", both.own(route), queries)
    return found


def theirs(both):
    """Return a query that asks for Loft in every word that some page or other understands.

    With the beginning of the mark: pages repeat what was asked for.
    """
    booking, guest = both.loft.visit, both.rows["Loft"]["guest"]
    return {
        "q": "zqlof",
        "guest_name": "zqlof",
        "space": "loft",
        "place": str(both.loft.desk.code),
        "member": both.loft.member.username,
        "booking": str(booking.code),
        "move": str(booking.code),
        "guest": str(guest.code),
        "codes": str(booking.code),
    }


def fields_for(both, name):
    """Return what the rows of the matrix post there, with Loft's rows in it."""
    row = next((row for row in ROWS if row.startswith("POST") and row.split()[1] == name), None)
    return sent(row, both.loft) if row else {}


def test_nobody_sees_or_changes_what_is_in_another_space(both):
    found = pages(both)
    assert not found, "\n".join(found[:40])


def test_no_field_of_a_form_reaches_into_another_space(both):
    """One field at a time: the rest is right."""
    found, tried = [], set()
    for row in ROWS:
        name = row.split()[1]
        if not row.startswith("POST") or name in BY_KEY:
            continue
        with undone():
            fields = sent(row, both.away)
        path = both.own(dict(ROUTES)[name])
        for field, value in fields.items():
            values = value if isinstance(value, list) else [value]
            other = [both.swapped(each) for each in values]
            if other == [str(each) for each in values]:
                continue
            tried.add(f"{row} {field}")
            for who in WHO:
                client = browser(both.sessions, who)
                changed = {**fields, field: other}
                found += both.check(client, "POST", path, changed, new=name in BOOKING)
    assert found == []
    assert len(tried) > 15


def test_no_admin_form_reaches_into_another_space(both):
    """Each form that the admin shows, with Loft's rows in each field that names a row."""
    found, tried = [], set()
    client = browser(both.sessions, "ruler")
    for name, route in ROUTES:
        if not re.search(r"admin:\w+_(add|change|changelist)$", name):
            continue
        path = both.own(route)
        page = client.get(path)
        if page.status_code != 200 or page.context is None:
            continue
        if name.endswith("changelist"):
            key = key_in_loft(both, name)
            for action in actions_of(page):
                fields = {"action": action, "_selected_action": key, "index": "0", "post": "yes"}
                found += both.check(client, "POST", path, fields)
                tried.add(f"{name} {action}")
            found += both.check(client, "GET", f"{path}?q=zqlof", {})
            for filters in filters_of(page):
                found += both.check(client, "GET", path, filters)
            continue
        for fields, field in admin_forms(both, page):
            tried.add(f"{name} {field}")
            found += both.check(client, "POST", path, fields)
    assert found == []
    assert len(tried) > 10


def key_in_loft(both, name):
    model = name.removeprefix("admin:").split("_", 1)[1].rsplit("_", 1)[0]
    row = both.rows["Loft"].get(model)
    return str(row.pk) if row is not None else "0"


def actions_of(page):
    form = page.context.get("action_form")
    return [name for name, _words in form.fields["action"].choices if name] if form else []


def filters_of(page):
    """Yield what the list's filters would ask for, with Loft's keys."""
    listed = page.context.get("cl")
    for spec in getattr(listed, "filter_specs", ()):
        for parameter in spec.expected_parameters():
            for value in ("1", "2", "loft"):
                yield {parameter: value}


def admin_forms(both, page):
    """Yield what a form would send, with a row of Loft in one of its fields."""
    form = page.context.get("adminform")
    if form is None:
        return
    sent_now = initial_of(form.form)
    for inline in page.context.get("inline_admin_formsets", ()):
        for each in [inline.formset.management_form, *inline.formset.forms]:
            sent_now |= initial_of(each)
    forms = [form.form]
    for inline in page.context.get("inline_admin_formsets", ()):
        forms += inline.formset.forms
    for each in forms:
        for name, field in each.fields.items():
            model = getattr(getattr(field, "queryset", None), "model", None)
            row = both.rows["Loft"].get(model._meta.model_name) if model else None
            if row is not None:
                yield {**sent_now, each.add_prefix(name): str(row.pk)}, each.add_prefix(name)


def initial_of(form):
    found = {}
    for name in form.fields:
        value = form[name].value()
        if value is not None and not isinstance(value, list | dict):
            found[form.add_prefix(name)] = str(getattr(value, "pk", value))
    return found


def operations_of_api():
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path.removeprefix("/api/v1"), operation["operationId"]


#: What programs send: a row for each operation that takes a body.
BODIES = {
    "createToken": lambda v: {"username": v.member.username, "password": "guess"},
    "createAccount": lambda v: {"username": v.member.username, "password": "A-long-Pa55word"},
    "createBooking": lambda v: {**booked(v), "member": v.member.username},
    "createBookings": lambda v: {"bookings": [{**booked(v), "member": v.member.username}]},
    "rescheduleBooking": lambda v: booked(v),
    "recordVisit": lambda v: {"verb": "leave"},
}


def booked(venue):
    starts_at = NOON + 2 * DAY
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + DAY / 24).isoformat()}
    return {"place": str(venue.free.code), **times}


def programs(both):
    found = []
    for method, path, operation in operations_of_api():
        assert method in {"GET", "DELETE"} or operation in BODIES, f"no body for {operation}"
        body = BODIES[operation](both.loft) if operation in BODIES else None
        codes = [each.code for each in (both.loft.begun, both.loft.visit, both.loft.arrived)]
        for who, code in product(WHO, codes if "{code}" in path else codes[:1]):
            here = path.format(slug="loft", code=code)
            if method == "GET":
                here += "?space=loft&limit=100"
            found += both.check(both.tokens[who], method, here, body)
            if method == "PATCH":  # one's own, to a place that isn't
                mine = {"carol": both.away.ahead}.get(who, both.away.later)
                moved = {**booked(both.loft)}
                found += both.check(
                    both.tokens[who], method, path.format(code=mine.code), moved, new=True
                )
    return found


def by_graphql(both):
    """Ask for everything that a query can name, and for a booking of Loft."""
    found = []
    asked = [all_of("bookings", '(limit: 100, space: "loft")'), all_of("bookings")]
    for each in (both.loft.begun, both.loft.visit):
        asked.append(all_of("booking", f'(code: "{each.code}")'))
    for who, query in product(WHO, asked):
        program = both.tokens[who]
        with undone():
            page = program.client.post(
                "/api/graphql",
                {"query": query},
                content_type="application/json",
                headers=program.headers,
            )
        found += [f"{who}: {query} shows {word}" for word in both.secrets.in_text(page.text)]
    return found


def test_every_address_of_programs_is_walked():
    """Each is an operation of the document, tells nothing of anybody, or is walked here."""
    known = {
        "problems",
        "api-root",
        "openapi-json",
        "openapi-view",
        "api_docs",
        "api_problems",
        "graphql",
    }
    operations = {snake(operation) for _method, _path, operation in operations_of_api()}
    found = {name.split(":")[-1] for name, route in ROUTES if route.startswith("api/")}
    assert found - known - operations == set()


def snake(name):
    return re.sub("(?<=[a-z])([A-Z])", r"_\1", name).lower()


def test_no_query_sees_what_is_in_another_space(both):
    assert by_graphql(both) == []


def test_no_program_sees_or_changes_what_is_in_another_space(both):
    assert programs(both) == []


def test_what_is_secret_is_seen_by_those_whose_it_is(both):
    """Otherwise a page that shows nothing at all would prove nothing."""
    client = browser({"manager": key_of(both.manager)}, "manager")
    seen = 0
    for name, route in ROUTES:
        if route.startswith("staff/") or re.search(r"_change(list)?$", name):
            page = client.get(path_of(route, both.of(both.loft, route)))
            seen += bool(both.secrets.in_text(unescape(page.text)) if not page.streaming else 0)
    assert seen > 15


#: Holes that somebody could leave: a query that isn't limited to the space, or to the person.
HOLES = [
    ("staff_day", SpaceQuerySet, "run_by", lambda rows, user: rows),
    ("webhooks$", EndpointQuerySet, "webhooks_of", lambda rows, space: rows),
    ("staff_guest", GuestQuerySet, "of", lambda rows, space: rows),
    ("staff_waiting", WaitingQuerySet, "of", lambda rows, space: rows),
    ("staff_booking|staff_cancel", BookingQuerySet, "in_space", lambda rows, space: rows),
    ("admin:bookings_booking", BookingQuerySet, "run_by", lambda rows, user: rows),
    ("deliver", DeliveryQuerySet, "to_webhooks_run_by", lambda rows, user: rows),
    ("calendar", FeedQuerySet, "of", lambda rows, user: rows),
]


def test_a_query_that_is_not_limited_is_found(both, subtests):
    for where, rows, verb, hole in HOLES:
        with subtests.test(f"{rows.__name__}.{verb}"), pytest.MonkeyPatch.context() as planted:
            planted.setattr(rows, verb, hole)
            assert pages(both, where) != []
    with pytest.MonkeyPatch.context() as planted:
        planted.setattr(BookingQuerySet, "visible_to", lambda rows, user: rows)
        assert programs(both) != []
        assert by_graphql(both) != []


def test_every_parameter_of_every_address_can_be_filled_in():
    """A new one has to say whose rows it names."""
    unknown = [
        route
        for _name, route in ROUTES
        for found in PARAMETER.finditer(route)
        if (found[1] or found[2]) not in FILLED and not route.startswith("api/")
    ]
    assert unknown == []
