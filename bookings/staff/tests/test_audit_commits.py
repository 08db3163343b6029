"""A change of a set-up and its line in the audit are committed together, or neither is."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from signal import SIGKILL

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client

from accounts import passwords
from accounts.factories import PASSWORD
from accounts.joining import AuditEntry, Tier
from accounts.models import User
from bookings.models import BookingEvent
from bookings.tests.acts import book, hours
from notifications.factories import WebhookFactory
from notifications.models import Endpoint
from spaces.factories import ClosureFactory, SpaceFactory
from spaces.models import Closure, Space, YearlyClosure

pytestmark = pytest.mark.django_db(transaction=True)

WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)
Kind = AuditEntry.Kind
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def signed_in(user):
    client = Client(REMOTE_ADDR="203.0.113.77", headers={"user-agent": FIREFOX})
    client.force_login(user, backend="config.auth.Backend")
    return client


def is_line(sql):
    return sql.startswith('INSERT INTO "accounts_auditentry"')


def spoiling(execute, sql, *rest):
    """Let the database refuse the COMMIT, for a line that leads to no space."""
    result = execute(sql, *rest)
    if is_line(sql):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_auditentry SET space_id = 987654321")
    return result


def refusing(execute, sql, *rest):
    if is_line(sql):
        raise DatabaseError("no room for another line")
    return execute(sql, *rest)


#: A change on a page of each part of the house, and how many rows it leaves.
def holiday(space, manager):
    fields = {"act": "yearly", "day": "1", "month": "6", "days": "1", "reason": "Spring"}
    return (
        lambda: signed_in(manager).post(f"/staff/{space.slug}/holidays/", fields),
        YearlyClosure.objects.count,
        (0, 1),
    )


def deleted_closure(space, manager):
    closure = ClosureFactory.create(space=space, starts_at=WHEN + hours(48))
    address = f"/admin/spaces/closure/{closure.pk}/delete/"
    return (
        lambda: signed_in(manager).post(address, {"post": "yes"}),
        Closure.objects.count,
        (1, 0),
    )


def tier(space, manager):
    address = f"/staff/{space.slug}/members/tiers/"
    return (
        lambda: signed_in(manager).post(address, {"name": "Gold"}),
        Tier.objects.count,
        (0, 1),
    )


def webhook(space, manager):
    code = WebhookFactory.create(space=space).code
    return (
        lambda: signed_in(manager).post(f"/staff/webhooks/{code}/remove/"),
        Endpoint.objects.filter(code=code).count,
        (1, 0),
    )


def forgotten_password(space, manager):
    key = passwords.key_of(manager)
    new = "another-Pa55word-for-now"
    fields = {"new_password1": new, "new_password2": new}
    return (
        lambda: Client().post(f"/accounts/forgotten/{key}/", fields),
        lambda: int(User.objects.get(pk=manager.pk).check_password(PASSWORD)),
        (1, 0),
    )


CHANGES = [holiday, deleted_closure, tier, webhook, forgotten_password]


@pytest.fixture(params=CHANGES, ids=lambda change: change.__name__)
def change(request, space, manager):
    return request.param(space, manager)


def lines():
    return AuditEntry.objects.filter(kind__in=[Kind.CHANGED, Kind.SECURITY, Kind.ACTED])


@pytest.mark.parametrize("trouble", [spoiling, refusing], ids=["commit", "line"])
def test_what_fails_leaves_neither_change_nor_line(change, trouble):
    press, count, (before, after) = change
    # Some pages take it for a name that is there already, and ask for another.
    with connection.execute_wrapper(trouble), suppress(DatabaseError):
        press()
    assert (count(), lines().count()) == (before, 0)
    assert press().status_code == 302
    assert (count(), lines().count()) == (after, 1)


SCRIPT = """
import os, signal
from django.db import connection
from django.test import Client
from accounts.models import User

def dying(execute, sql, *rest):
    result = execute(sql, *rest)
    if {early} and sql.startswith('INSERT INTO "accounts_auditentry"') and "CHANGED" in str(rest):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

client = Client(headers={{"host": "localhost"}})
client.force_login(User.objects.get(username="marat"), backend="config.auth.Backend")
with connection.execute_wrapper(dying):
    client.post("/staff/{slug}/holidays/", {{
        "act": "yearly", "day": "1", "month": "6", "days": "1", "reason": "Spring"}})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("early", "count"), [(True, 0), (False, 1)])
def test_a_killed_process_leaves_both_or_neither(space, manager, manage, early, count):
    process = manage("shell", "-c", SCRIPT.format(early=early, slug=space.slug))
    assert process.wait() == -SIGKILL
    assert YearlyClosure.objects.count() == lines().count() == count


def test_what_is_rolled_back_and_done_again_has_one_line(space, manager):
    """The first try fails after its line; the second leaves one of its own."""
    press, count, _numbers = holiday(space, manager)
    with connection.execute_wrapper(spoiling):
        press()
    for again in (press, tier(space, manager)[0]):
        again()
    assert count() == 1
    assert [line.what for line in lines().order_by("pk")] == ["staff_holidays", "staff_tier_new"]


def test_a_deleted_space_leaves_a_line(boss):
    space = SpaceFactory.create()
    answer = signed_in(boss).post(f"/admin/spaces/space/{space.pk}/delete/", {"post": "yes"})
    assert (answer.status_code, Space.objects.count()) == (302, 0)
    assert [(line.actor, line.space) for line in lines()] == [(boss, None)]


def test_a_password_that_a_superuser_sets_has_a_line(boss, alice):
    new = "another-Pa55word-for-now"
    fields = {"password1": new, "password2": new, "usable_password": "true"}
    answer = signed_in(boss).post(f"/admin/accounts/user/{alice.pk}/password/", fields)
    assert answer.status_code == 302
    line = lines().get()
    assert (line.actor, line.what) == (boss, f"admin:auth_user_password_change {alice.pk}")


@pytest.mark.parametrize("command", ["reset_second_factor", "changepassword", "createsuperuser"])
def test_what_is_done_at_the_server_has_a_line(command, alice, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda *_words, **_more: "another-Pa55word-for-now")
    User.objects.filter(pk=alice.pk).update(second_factor_at=WHEN)
    if command == "createsuperuser":
        call_command(command, username="owner", interactive=False)
    else:
        call_command(command, "alice")
    line = lines().get()
    person = User.objects.latest("pk")
    assert (line.kind, line.what) == (Kind.SECURITY, f"command:{command} {person.pk}")


# --- From where -----------------------------------------------------------------------------------


def told(manager, space, topic):
    page = signed_in(manager).get(f"/staff/{space.slug}/audit/?topic={topic}&since=")
    return {line.what.split(":")[0].split(" (")[0]: line.where for line in page.context["lines"]}


@pytest.fixture
def an_hour_later(clock):
    clock.now = WHEN + hours(1)


@pytest.mark.usefixtures("an_hour_later")
def test_the_audit_says_from_where_staff_acted(space, desk, alice, host, manager):
    booking = book(desk, alice, WHEN, WHEN + timedelta(days=1), by=alice)
    address = f"/staff/{space.slug}/bookings/{booking.code}/cancel/"
    assert signed_in(host).post(address, {"reason": "Repairs"}).status_code == 303
    client = signed_in(manager)
    client.post(f"/staff/{space.slug}/people/", {"email": "vera@example.org", "role": "HOST"})
    assert told(manager, space, "bookings")["cancelled"] == "203.0.113.0 · Firefox, Linux"
    assert list(told(manager, space, "rights").values()) == ["203.0.113.0 · Firefox, Linux"]


@pytest.mark.usefixtures("an_hour_later")
def test_nothing_is_kept_of_where_members_are(space, desk, alice, host, manager):
    """Nor of staff who book for themselves."""
    for number, person in enumerate([alice, host]):
        starts = WHEN + timedelta(days=2, hours=number)
        fields = {"place": str(desk.code), "party_size": "1"}
        for name, at in [("starts_at", starts), ("ends_at", starts + hours(1))]:
            fields[name] = f"{at.astimezone(space.zone):%Y-%m-%dT%H:%M}"
        assert signed_in(person).post("/bookings/", fields).status_code in {302, 303}
    assert BookingEvent.objects.exclude(request_id="").count() > 0
    assert not AuditEntry.objects.filter(kind=Kind.ACTED).exists()
    where = set(told(manager, space, "bookings").values())
    assert not [words for words in where if "203" in words or "Firefox" in words]
