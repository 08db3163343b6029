"""Who may read a calendar, until when, and what it says about people who left."""

import pytest
from django.core.signing import Signer

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.models import StaffRole
from bookings.deciding.leaving import leave
from bookings.tests.acts import book
from notifications.calendars import feeds
from notifications.models import CalendarFeed
from notifications.tests.calendars import address, made, read

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_a_wrong_address_leads_nowhere(mine, program):
    token = feeds.token_of(mine)
    code, signature = token.split(".")
    other = Signer(salt="another", sep=".").sign(mine.code.hex)
    wrong = [code, signature, f"{code}.", f"{code}.{signature[:-1]}", other, f"{token}.x"]
    for forged in [*wrong, Signer(salt="calendar", sep=".").sign("x"), "0" * 32]:
        assert program.get(f"/calendars/{forged}.ics").status_code == 404, forged
    assert program.get(f"/calendars/{mine.code}.ics").status_code == 404
    assert program.get(address(mine)).status_code == 200


def test_reading_the_database_reveals_no_address(mine):
    token = feeds.token_of(mine)
    assert token not in str([*CalendarFeed.objects.values_list()])


def test_an_address_outlives_the_key_that_signed_it(mine, program, settings):
    old = address(mine)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, of which nobody knows, and long enough to be one"
    assert program.get(old).status_code == 200
    assert address(mine) != old
    settings.SECRET_KEY_FALLBACKS = []
    assert program.get(old).status_code == 404


def test_a_new_address_ends_the_old_one(mine, program, now):
    old = address(mine)
    feeds.renew(mine, now=now)
    mine.refresh_from_db()
    assert program.get(old).status_code == 404
    assert program.get(address(mine)).status_code == 200


def test_a_closed_feed_is_gone(mine, program):
    old = address(mine)
    feeds.close(mine)
    assert program.get(old).status_code == 404


def test_people_who_no_longer_run_the_day_read_nothing(host, space, desk, program):
    for feed in (made(host, space), made(host, space, desk)):
        assert program.get(address(feed)).status_code == 200
    StaffRole.objects.all().delete()
    StaffRoleFactory.create(user=host)  # elsewhere
    for feed in CalendarFeed.objects.all():
        assert program.get(address(feed)).status_code == 404


def test_superusers_read_every_space(space, program):
    boss = UserFactory.create(username="boss", is_superuser=True)
    assert program.get(address(made(boss, space))).status_code == 200


def test_people_whose_account_is_closed_read_nothing(mine, program, alice):
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert program.get(address(mine)).status_code == 404


# --- People who left


def test_with_the_account_its_addresses_end(mine, program, alice, host, space, now):
    theirs = [address(mine), address(made(host, space))]
    for person in (alice, host):
        leave(person, by=person, now=now)
    assert [program.get(url).status_code for url in theirs] == [404, 404]


def test_nothing_is_revealed_about_people_who_left(host, space, desk, alice, now):
    feed = made(host, space)
    type(alice).objects.filter(pk=alice.pk).update(name="Alice A.")
    alice.refresh_from_db()
    book(desk, alice, now, note="My knee hurts")
    before = feeds.contents(feed, now=now)
    leave(alice, by=alice, now=now)
    after = feeds.contents(feed, now=now)
    assert b"Alice" in before.written()
    assert b"knee" in before.written()
    assert [event.summary for event in read(after.written())] == [
        "Cancelled: Desk 1 · a former member"
    ]
    for word in (b"alice", b"Alice", b"knee", b"erased"):
        assert word not in after.written()
