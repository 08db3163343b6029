"""A connection to a former primary, which refuses changes: it is left for a better one."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, close_old_connections, connection
from django.db.transaction import atomic
from django.test import Client

from bookings.deciding import services
from bookings.deciding.transactions import transactional
from bookings.models import Booking
from bookings.tests.acts import book

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no replicas"),
    pytest.mark.django_db(transaction=True),
]


def demote():
    """Make the server refuse changes on this connection, as a replica does."""
    connection.ensure_connection()
    connection.connection.execute("SET default_transaction_read_only = on")


@pytest.fixture
def demoted():
    demote()
    close_old_connections()  # where requests begin and end


def names():
    return sorted(Group.objects.values_list("name", flat=True))


def test_a_change_is_made_elsewhere_if_it_is_the_first_statement(demoted):
    with atomic():
        Group.objects.create(name="a")
    assert names() == ["a"]


def test_a_change_after_a_read_is_an_outage_for_one_request(demoted):
    def change():
        with atomic():
            list(Group.objects.all())
            Group.objects.create(name="a")

    with pytest.raises(OperationalError):
        change()
    close_old_connections()
    change()
    assert names() == ["a"]


def test_a_service_is_repeated_as_a_whole_elsewhere():
    tries = []

    @transactional
    def change():
        tries.append(names())
        if len(tries) == 1:
            connection.connection.execute("SET transaction_read_only = on")
        Group.objects.create(name="a")

    change()
    assert (tries, names()) == ([[], []], ["a"])


def test_a_service_is_repeated_elsewhere_only_once():
    tries = []

    @transactional
    def change():
        tries.append(names())
        connection.connection.execute("SET transaction_read_only = on")
        Group.objects.create(name="a")

    with pytest.raises(OperationalError):
        change()
    assert len(tries) == 2


def test_a_lock_is_refused_there_too(alice, desk, soon):
    held = book(desk, alice, soon, soon + timedelta(hours=1))
    demote()
    close_old_connections()
    services.cancel(held, by=alice, now=soon - timedelta(hours=9))
    assert Booking.objects.get().state == "CANCELLED"


def test_nobody_notices_on_a_page(alice, desk, soon, space):
    browser = Client()
    browser.force_login(alice)
    demote()
    answer = browser.post(
        "/bookings/",
        {
            "place": desk.code,
            "starts_at": f"{soon:%Y-%m-%dT%H:%M}",
            "ends_at": f"{soon + timedelta(hours=1):%Y-%m-%dT%H:%M}",
            "party_size": 1,
            "request_key": "once",
        },
    )
    assert answer.status_code == 302
    assert Booking.objects.count() == 1
