from datetime import UTC, datetime

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from accounts import emails
from accounts.factories import PASSWORD, StaffRoleFactory, UserFactory
from accounts.models import User
from accounts.services import change, erase, register

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def alina(db):
    return UserFactory(
        username="alina",
        name="Alina Petrova",
        email="alina@example.org",
        language="ru",
        time_zone="Europe/Moscow",
        theme="DARK",
        pending_email="alina@example.com",
    )


def test_nothing_personal_stays_in_the_row(alina):
    password, alina_look = alina.password, alina.look
    erase(alina, now=NOW)
    row = User.objects.values().get(pk=alina.pk)
    assert row.pop("username").startswith("erased-")
    assert row.pop("password") not in ("", password)
    assert row.pop("look") != alina_look
    assert row == {
        "id": alina.pk,
        "name": "",
        "email": "",
        "language": "",
        "time_zone": "",
        "theme": "SYSTEM",
        "is_active": False,
        "is_staff": False,
        "is_superuser": False,
        "last_login": None,
        "date_joined": NOW,
        "looks_alike": False,
        "email_confirmed_at": None,
        "pending_email": "",
        "second_factor_at": None,
    }


def test_no_table_of_people_names_the_person_any_more(alina):
    Client().post("/accounts/login/", {"username": "Alina", "password": "wrong"})
    Client().post("/accounts/forgotten/", {"who": "Alina"})
    emails.ask(alina, "alina@example.com", now=NOW)
    admin = UserFactory(is_superuser=True)
    LogEntry.objects.log_actions(admin.pk, [alina], CHANGE, change_message="name: alina")
    erase(alina, now=NOW)
    tables = [model._meta.db_table for model in apps.get_models()]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            assert "alina" not in str(cursor.fetchall()).lower()
    assert LogEntry.objects.count() == 1
    assert not AccessAttempt.objects.exists()


def test_roles_and_permissions_are_gone(alina):
    StaffRoleFactory(user=alina)
    alina.groups.add(Group.objects.create(name="Residents"))
    erase(alina, now=NOW)
    assert not alina.staff_roles.exists()
    assert not alina.groups.exists()


def test_all_sessions_end(alina):
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(alina)
    erase(alina, now=NOW)
    for client in clients:
        assert client.get("/accounts/profile/").status_code == 302


def test_nobody_signs_in_as_the_erased(client, alina):
    erase(alina, now=NOW)
    for login in ("alina", alina.username):
        data = {"username": login, "password": PASSWORD}
        assert client.post("/accounts/login/", data).status_code == 422


def test_the_login_is_free_for_another_person(alina):
    erase(alina, now=NOW)
    assert register("alina", password=PASSWORD, now=NOW).pk != alina.pk


def test_others_are_left_alone(alina, bob):
    before = User.objects.values().get(pk=bob.pk)
    erase(alina, now=NOW)
    assert User.objects.values().get(pk=bob.pk) == before


def test_a_late_change_brings_nothing_back(alina):
    erase(User.objects.get(pk=alina.pk), now=NOW)
    change(alina, name="Alina Petrova", password=alina.password)
    alina.refresh_from_db()
    assert (alina.name, alina.has_usable_password()) == ("", False)


def test_two_people_can_be_erased(alina, bob):
    erase(alina, now=NOW)
    erase(bob, now=NOW)
    assert alina.username != bob.username
