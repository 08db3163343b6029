"""Sessions that have ended leave the database."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from accounts.factories import PASSWORD
from accounts.forgetting import forget_old_credentials

pytestmark = pytest.mark.django_db


def test_the_worker_deletes_ended_sessions_and_no_others(alice, bob):
    for person in (alice, bob):
        Client().force_login(person)
    ended, open_ = Session.objects.order_by("session_key")
    now = timezone.now()
    Session.objects.filter(pk=ended.pk).update(expire_date=now - timedelta(seconds=1))
    assert forget_old_credentials(now=now) == 1
    assert list(Session.objects.all()) == [open_]
    assert forget_old_credentials(now=now) == 0


def test_a_session_ends_a_month_after_signing_in(client, alice, clock):
    client.force_login(alice)
    for _week in range(4):
        assert client.get("/accounts/profile/").status_code == 200
        clock.passes(days=7)
        client.post("/accounts/sure/", {"password": PASSWORD})  # moves its end
    assert client.get("/accounts/profile/").status_code == 200
    clock.passes(days=2, minutes=1)
    assert client.get("/accounts/profile/").status_code == 302


def test_asking_again_gives_the_session_a_new_key(client, alice, clock):
    client.force_login(alice)
    clock.passes(minutes=11)
    found = Session.objects.get().pk
    answer = client.post("/accounts/sure/?next=/accounts/sessions/", {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/sessions/")
    assert Session.objects.get().pk != found
    assert client.get("/accounts/sessions/").status_code == 200


def test_a_login_that_the_database_fails_is_not_the_persons_fault(alice):
    def fail_to_save(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "session" in sql.split()[1]:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    browser = Client(raise_request_exception=False)
    with connection.execute_wrapper(fail_to_save):
        answer = browser.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
