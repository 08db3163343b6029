"""A short attack, in this process: what `make attack` does a hundred times as long."""

from collections import Counter

import httpx
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from psycopg.conninfo import make_conninfo

from accounts.factories import PASSWORD, UserFactory
from accounts.models import User
from attacks import headers
from attacks.mutating import Mutations, operations_of
from attacks.snapshot import COPY, Snapshot
from attacks.surfing import ShutOut, Surfer
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


def surfer_of(login):
    transport = httpx.WSGITransport(app=as_a_server_does(Handler()))
    client = httpx.Client(transport=transport, base_url="http://127.0.0.1")
    return Surfer(client, login, PASSWORD if login else "")


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
    surfers = [surfer_of(login) for login in ("", *(person.username for person in people))]
    for surfer in surfers:
        surfer.look_around(STARTS, most=40, of_a_kind=1)
    cache.clear()
    assert headers.check(surfers).findings == []
    operations = operations_of(surfers[0].client)
    everybody = [Mutations(surfer, operations, seed=7) for surfer in surfers]
    caplog.clear()
    for sender in everybody:
        sender.send(REQUESTS // len(everybody))
    assert [sender.findings for sender in everybody] == [[]] * len(everybody)
    assert sum(sender.tried for sender in everybody) == REQUESTS
    assert not [record for record in caplog.records if record.exc_info]
    answers = sum((sender.statuses for sender in everybody), Counter())
    assert sum(count for status, count in answers.items() if status < 400) > REQUESTS / 10
    call_command("check_bookings")


@pytest.mark.django_db
@pytest.mark.usefixtures("one_connection")
def test_who_takes_their_own_account_away_is_told_so(alice, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    sender = Mutations(surfer_of("alice"), [], seed=1)
    sender.targets = ["/bookings/"]
    alice.is_active = False
    alice.save()
    with pytest.raises(ShutOut):
        sender.send(REQUESTS)
    assert sender.findings == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="The attack is on PostgreSQL")
def test_the_site_is_put_back_as_it_was(alice):
    wanted = connection.settings_dict
    url = make_conninfo(
        dbname=wanted["NAME"], host=wanted["HOST"], port=wanted["PORT"], user=wanted["USER"],
        password=wanted["PASSWORD"] or None,
    )  # fmt: skip
    snapshot, pk = Snapshot(url), alice.pk
    assert snapshot.changed(["alice"]) == []
    User.objects.update(is_active=False, last_login="2030-01-07T10:00Z")
    assert snapshot.changed(["alice"]) == ["alice's accounts_user.is_active"]
    alice.delete()
    assert snapshot.changed(["alice"]) == ["alice's rows of accounts_user: 1 before, 0 now"]
    snapshot.restore()
    assert snapshot.changed(["alice"]) == []
    assert list(User.objects.values_list("pk", "username", "is_active")) == [(pk, "alice", True)]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {COPY} CASCADE")
