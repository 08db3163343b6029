"""Every door to the set-up that bookings stand on asks about those that a change would strand.

The doors are generated from the admin's registry and the lists of commands and API operations: a
new one is not in the table below, and fails until it is.
"""

from datetime import time, timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import get_commands
from django.test import RequestFactory
from django.urls import reverse

from accounts.factories import TierFactory, UserFactory
from accounts.models import User
from bookings.admin.asking import AskingAdmin
from bookings.models import Booking
from bookings.tests.acts import book, hours
from bookings.tests.asked import shown
from config.api import api
from spaces.factories import (
    PlaceFactory,
    PolicyFactory,
    ShiftFactory,
    TurnTimeFactory,
    open_space,
)
from spaces.models import Closure
from spaces.tests.staff import filled_in

pytestmark = pytest.mark.django_db

OURS = {"accounts", "spaces", "bookings", "notifications", "config"}

#: What bookings stand on: all of `spaces`, who booked, and the groups that policies are for.
SETUP = {*apps.get_app_config("spaces").get_models(), User, Group}

#: Closing has a page of its own that asks the same: test_admin_closures. Reopening allows more.
ASKS_OTHERWISE = {Closure}

#: Fields that no rule reads, and actions that change nothing, or only allow more.
HARMLESS = {
    *("space.country", "space.guests_may_book", "space.guest_retention_days"),
    "space.hold_minutes",
    *("space.name", "space.slug", "space.kind", "space.address", "space.about"),
    *("space.phone", "space.email", "space.policy.grace_minutes"),
    *("space.reminder_hours", "space.staffrole.user", "space.staffrole.role"),
    "space.staffrole.DELETE",
    # What binds whoever books, not what is booked.
    *("space.policy.min_notice_minutes", "space.policy.max_days_ahead"),
    *("space.policy.cancel_deadline_minutes", "space.policy.max_upcoming"),
    "space.policy.max_minutes_per_day",
    *("space.policy.max_no_shows", "space.policy.no_show_days"),
    # Who has to check in is told on the ticket, and has as long from the change on.
    *("space.policy.check_in_opens_minutes", "space.policy.release_after_minutes"),
    *("place.space", "place.number", "place.name", "place.features", "place.plan_x"),
    *("place.plan_y", "place!offer", "place.priority", "place.area"),
    # How long a new booking is, and how many may be made: those that exist stay.
    *("space.turntime.from_party", "space.turntime.minutes", "space.turntime.DELETE"),
    *("space.shift.name", "space.shift.covers_online", "space.shift.covers_in_house"),
    *("user.username", "user.password", "user.name", "user.email", "user.is_superuser"),
    *("user.staffrole.space", "user.staffrole.role", "user.staffrole.DELETE"),
    "user!delete_accounts",  # asks by itself: test_admin_leave
    *("group.name", "group.permissions"),
}

#: Rows that bookings keep: they can't be deleted.
KEPT_BY_BOOKINGS = {"space!delete", "space!delete_selected", "place!delete"} | {
    "place!delete_selected"
}

#: What strands Alice's booking: the fields to post, or nothing more where the door is enough.
STRANDING = {
    "space.time_zone": {"time_zone": "Asia/Tokyo"},
    "space.is_active": {"is_active": ""},
    "space.openinghours.weekday": {
        "opening_hours-0-weekday": "1",
        "opening_hours-0-opens_at": "09:00",
    },
    "space.openinghours.opens_at": {"opening_hours-0-opens_at": "17:00"},
    "space.openinghours.closes_at": {"opening_hours-0-closes_at": "17:00"},
    "space.openinghours.DELETE": {"opening_hours-0-DELETE": "on"},
    "space.policy.kind": {"policies-1-kind": "DESK"},
    "space.policy.group": {"policies-2-group": ""},
    "space.policy.step_minutes": {"policies-0-step_minutes": "45"},
    "space.policy.min_minutes": {"policies-0-min_minutes": "180"},
    "space.policy.max_minutes": {"policies-0-max_minutes": "60"},
    "space.policy.shift": {"policies-3-shift": ""},
    "space.policy.tier": {"policies-4-tier": ""},
    "space.shift.weekdays": {"shifts-1-weekdays": ["1"]},
    "space.shift.first_seating": {"shifts-1-first_seating": "17:00"},
    "space.shift.last_seating": {"shifts-1-last_seating": "16:15"},
    "space.shift.DELETE": {"shifts-1-DELETE": "on"},
    "space.policy.DELETE": {"policies-0-DELETE": "on"},
    "place.kind": {"kind": "ROOM"},
    "place.capacity": {"capacity": "1"},
    "place.min_party": {"capacity": "3", "min_party": "3"},
    "place.is_bookable": {"is_bookable": ""},
    "place.parts": "another place",
    "place!withdraw": {},
    "user.is_active": {"is_active": ""},
    "user.groups": {"groups": []},
    "group!delete": {},
    "group!delete_selected": {},
}


@pytest.fixture
def boss(client):
    boss = UserFactory(username="boss", is_superuser=True)
    client.force_login(boss)
    return boss


@pytest.fixture
def stage(boss, alice, soon):
    """Alice, a Regular, has a table for two from 16:30 to 18:30 on a Monday."""
    space = open_space(slug="inn", name="Inn", places=2, place={"capacity": 2})
    regulars, students = (Group.objects.create(name=name) for name in ("Regulars", "Students"))
    alice.groups.add(regulars)
    PolicyFactory(space=space, group=regulars, step_minutes=30)
    PolicyFactory(space=space, kind="ROOM", max_minutes=60)
    PolicyFactory(space=space, group=students, max_minutes=60)
    early = ShiftFactory(space=space, name="Early", first_seating=time(9), last_seating=time(12))
    ShiftFactory(space=space, name="Late", first_seating=time(16), last_seating=time(20))
    PolicyFactory(space=space, shift=early, max_minutes=60)
    PolicyFactory(space=space, tier=TierFactory(space=space), max_minutes=60)
    TurnTimeFactory(space=space)
    desk = space.places.get(number=1)
    monday = soon + timedelta(days=(7 - soon.weekday()) % 7, hours=6, minutes=30)
    booking = book(desk, alice, monday - hours(30), monday, party_size=2)
    rows = {"space": space, "place": desk, "user": alice, "group": regulars}
    return rows, booking


def request_of(boss):
    request = RequestFactory().get("/admin/")
    request.user = boss
    return request


def name_of(model):
    return model._meta.model_name


def doors_of(site_admin, request, row):
    """Yield what can be done on a row's page and in its list."""
    name = name_of(site_admin.model)
    for field in site_admin.get_form(request, row, change=True).base_fields:
        yield f"{name}.{field}"
    for field in site_admin.list_editable:
        yield f"{name}.{field}"
    for inline in site_admin.get_inline_instances(request, row):
        formset = inline.get_formset(request, row)
        fields = formset.form.base_fields.keys() - {formset.fk.name}
        for field in fields | ({"DELETE"} if formset.can_delete else set()):
            yield f"{name}.{name_of(inline.model)}.{field}"
    if site_admin.has_delete_permission(request, row):
        yield f"{name}!delete"
    for action in site_admin.get_actions(request):
        yield f"{name}!{action}"


def setup_admins():
    return {
        model: site_admin
        for model, site_admin in admin.site._registry.items()
        if SETUP & {model, *(inline.model for inline in site_admin.inlines)}
    }


def test_every_admin_of_the_set_up_asks():
    assert {*setup_admins()} >= {User, Group}
    silent = {
        model
        for model, site_admin in setup_admins().items()
        if not isinstance(site_admin, AskingAdmin)
    }
    assert silent == ASKS_OTHERWISE


def test_every_door_is_known(stage, boss):
    rows, _booking = stage
    request = request_of(boss)
    doors = {
        door
        for model, site_admin in setup_admins().items()
        if model not in ASKS_OTHERWISE
        for door in doors_of(site_admin, request, rows[name_of(model)])
    }
    assert doors == {*STRANDING} | HARMLESS | KEPT_BY_BOOKINGS


def post(client, door, row, fields):
    """Go through a door as a superuser does; what else is on a form stays as it is."""
    app, model = row._meta.app_label, row._meta.model_name
    where = f"admin:{app}_{model}"
    is_act = "!" in door
    act = door.rpartition("!")[2]
    if is_act and act == "delete":
        return client.post(reverse(f"{where}_delete", args=[row.pk]), {"post": "yes"} | fields)
    if is_act:
        chosen = {"action": act, "_selected_action": [row.pk]}
        confirmed = {"post": "yes"} if act == "delete_selected" else {}
        return client.post(reverse(f"{where}_changelist"), chosen | confirmed | fields)
    url = reverse(f"{where}_change", args=[row.pk])
    on = {"is_active": "on", "is_bookable": "on"}
    dates = {f"{name}_{n}": "" for name in ("last_login", "date_joined") for n in (0, 1)}
    return client.post(url, filled_in(client, url) | dates | on | fields)


@pytest.mark.parametrize("door", STRANDING)
def test_a_door_shows_the_bookings_and_keeps_them_when_told(client, stage, door):
    rows, booking = stage
    row = rows[door.replace("!", ".").split(".")[0]]
    fields = STRANDING[door]
    if door == "place.parts":
        fields = {"parts": [PlaceFactory(space=row.space, number=7).pk]}
    answer = post(client, door, row, fields)
    assert answer.status_code == 409, answer.status_code
    assert [line["words"].split(",")[0] for line in answer.context["lines"]] == ["Desk 1"]
    assert list(booking.events.values_list("kind", flat=True)) == ["CONFIRMED"]

    told = {"bookings-choice": "keep", "bookings-clock": "instant"}
    answer = post(client, door, row, fields | shown(answer) | told)
    assert answer.status_code == 302, answer.status_code
    kinds = list(booking.events.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["CONFIRMED", "KEPT"]


@pytest.mark.parametrize("door", sorted(KEPT_BY_BOOKINGS))
def test_what_has_bookings_is_not_deleted(client, stage, door):
    rows, _booking = stage
    row = rows[door.partition("!")[0]]
    post(client, door, row, {})
    assert type(row).objects.filter(pk=row.pk).exists()
    assert Booking.objects.get().events.count() == 1


def test_no_command_changes_the_set_up():
    """`demo` fills an empty database, and that alone; of the others, migrations may write it.

    `restore` brings back everything as it was, bookings and set-up together.
    """
    known = {
        "backup",
        "changepassword",
        "createsuperuser",
        "check_bookings",
        "consume_requests",
        "demo",
        "doctor",
        "forget_old",
        "import_bookings",
        "owner",
        "reset_second_factor",
        "restore",
        "waffle_delete",
        "waffle_switch",
    }
    known |= {"check_migrations", "migrate", "replay_events", "worker"}
    assert {name for name, app in get_commands().items() if app in OURS} == known


def test_no_program_changes_the_set_up():
    writing = {
        (method, path)
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
        if method != "get"
    }
    about = {path.removeprefix("/api/v1/").split("/")[0] for _method, path in writing}
    assert about <= {"auth", "accounts", "bookings"}
