"""No primary: everything is read from a replica and says so, nothing is changed or lost."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Session
from bookings.models import Booking
from bookings.tests.acts import book, hours
from config.tests.replicas import no_primary
from config.tests.walk import every_address, rows, sessions  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no replicas"),
    pytest.mark.django_db(transaction=True),
]

#: They need no database, or ask for the primary itself.
ALONE = {"healthz", "readyz"}
#: Nothing is read there from a replica.
NEVER = {"api:list_events"}
SIGN = 'id="as-of"'


@pytest.fixture
def browser(alice):
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    return client


def wish(place, starts_at, **more):
    return {
        "place": place.code,
        "starts_at": f"{starts_at:%Y-%m-%dT%H:%M}",
        "ends_at": f"{starts_at + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "party_size": 1,
        "request_key": "once",
        **more,
    }


def test_every_address_is_read_from_a_replica_and_marked(rows, sessions, subtests):
    found = [here for here in every_address(rows, sessions) if here.name not in ALONE]
    before = {here.path: here.come().get(here.path) for here in found}
    with no_primary():
        for here in found:
            with subtests.test(f"{here.name} {here.route}"):
                now = here.come(raise_request_exception=False).get(here.path)
                if here.name in NEVER:
                    assert (now.status_code, now["Retry-After"]) == (503, "5")
                    continue
                assert now.status_code == before[here.path].status_code
                assert settings.SESSION_COOKIE_NAME not in now.cookies
                is_page = now.headers.get("Content-Type", "").startswith("text/html")
                if now.status_code == 200:
                    assert datetime.fromisoformat(now["Data-As-Of"]) <= datetime.now(UTC)
                if now.status_code == 200 and is_page:
                    assert now.text.count(SIGN) == 1


def test_every_address_refuses_changes_and_says_when_to_ask_again(rows, sessions, subtests):
    found = [here for here in every_address(rows, sessions) if here.name not in ALONE]
    with no_primary():
        for here in found:
            browser = here.come(raise_request_exception=False)
            for send in (browser.post, browser.put, browser.patch, browser.delete):
                with subtests.test(f"{send.__name__} {here.name} {here.route}"):
                    answer = send(here.path)
                    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
                    is_problem = "problem+json" in answer["Content-Type"]
                    assert is_problem == here.path.startswith("/api/")
    assert Booking.objects.count() == 1
