"""Two spaces with everything in them: nobody of one sees or changes anything of the other.

All addresses and operations there are, the admin's too; GET and POST; everything of the other
space in each part of an address, in each field of a form, in each query. What is answered is
searched for words that stand only in the other space's rows, and its rows are compared.
"""

import re
from html import unescape
from itertools import product

import pytest
from django.urls import get_resolver

from bookings.guests import GuestQuerySet
from bookings.querysets import BookingQuerySet
from bookings.waiting import WaitingQuerySet
from config.api import api
from config.tests.clock import Clock
from config.tests.page_rights import KEYS, ROWS
from config.tests.posted import sent
from config.tests.stage import DAY, NOON
from config.tests.test_graphql import all_of
from config.tests.two_spaces import Both
from config.tests.walk import (
    FILLED,
    PARAMETER,
    addresses,
    browser,
    key_of,
    path_of,
    undone,
)
from notifications.querysets import DeliveryQuerySet, EndpointQuerySet, FeedQuerySet
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
WHO = ("ruler", "abroad", "carol")


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
