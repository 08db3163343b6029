"""A short attack, in this process: what `make attack` does a hundred times as long."""

import httpx
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from accounts.factories import PASSWORD, UserFactory
from attacks import headers
from attacks.mutating import Mutations, operations_of
from attacks.surfing import Surfer
from config.handler import Handler
from config.tests.stage import NOON, Venue, staff_of

STARTS = ["/", "/bookings/", "/accounts/profile/", "/accounts/login/", "/staff/loft/", "/admin/"]
REQUESTS = 1000


def as_a_server_does(handler):
    """Give the path byte by byte (PEP 3333); httpx gives it decoded."""

    def app(environ, start_response):
        path = environ["PATH_INFO"].encode(errors="surrogateescape").decode("latin-1")
        return handler({**environ, "PATH_INFO": path}, start_response)

    return app


@pytest.fixture
def one_connection():
    """Keep the test's own connection, which a server would close between two requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
@pytest.mark.any_database
def test_nearly_right_requests_break_nothing(clock, settings, caplog):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.AXES_FAILURE_LIMIT = settings.ADDRESS_FAILURE_LIMIT = 10**6
    settings.API_RATES = dict.fromkeys(settings.API_RATES, 10**6)
    clock.now = NOON
    loft = Venue("Loft", UserFactory.create(username="alice"), NOON)
    people = [loft.member, staff_of(loft.space, "MANAGER", "marat")]
    people.append(UserFactory.create(username="boss", is_superuser=True, is_staff=True))
    surfers = []
    for login in ("", *(person.username for person in people)):
        transport = httpx.WSGITransport(app=as_a_server_does(Handler()))
        client = httpx.Client(transport=transport, base_url="http://127.0.0.1")
        surfers.append(Surfer(client, login, PASSWORD if login else ""))
        surfers[-1].look_around(STARTS, most=40, of_a_kind=1)
    cache.clear()
    assert headers.check(surfers).findings == []
    mutations = Mutations(surfers, operations_of(surfers[0].client), seed=7)
    caplog.clear()
    outcome = mutations.run(REQUESTS)
    assert outcome.findings == []
    assert outcome.tried == REQUESTS
    assert not [record for record in caplog.records if record.exc_info]
    assert (
        sum(count for status, count in mutations.statuses.items() if status < 400) > REQUESTS / 10
    )
    call_command("check_bookings")
