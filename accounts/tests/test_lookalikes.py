"""Logins that readers would confuse are refused, whoever makes them."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.factories import PASSWORD, UserFactory
from accounts.lookalikes import look, mixes_scripts, skeleton
from accounts.models import User
from accounts.services import LoginLooksTaken, LoginMixesScripts, LoginTaken, erase, register
from bookings.tests.crowd import at_once

TAKEN = "This login looks like one that is taken. Choose one that differs more."
MIXED = "This login mixes letters of different alphabets. Use one alphabet."


# --- What looks alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("member", "mеmber"),  # Cyrillic е
        ("paypal", "раураl"),
        ("scope", "ѕсоре"),  # all Cyrillic
        ("alice1", "alicel"),
        ("moon", "m00n"),
        ("rnodern", "modern"),
        ("νοσ", "vоо"),
        ("olga", "οlga"),
    ],
)
def test_letters_that_look_alike_have_one_skeleton(one, other):
    assert look(one) == look(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alise"), ("елена", "elena"), ("élise", "elise"), ("и", "n")]
)
def test_letters_that_differ_have_different_skeletons(one, other):
    assert skeleton(one) != skeleton(other)


def test_the_tables_are_those_that_stored_looks_were_made_with():
    """If the table changes, write a migration that refills `User.look`, then change this."""
    assert look("".join(map(chr, range(0x21, 0x2FFF)))) == "e0cf0ca8a0f48d20e33dc7aaf1564042"


@pytest.mark.parametrize(
    "login", ["mеmber", "ivan-иван", "τom", "αбв", "дом東京", "한국かな", "a1١", "Ивaн"]
)
def test_alphabets_that_no_language_mixes(login):
    assert mixes_scripts(User.normalize_username(login))


@pytest.mark.parametrize(
    "login",
    [
        "member2",
        "иван.2",
        "ελένη",
        "東京tokyo",
        "かなカナ漢",
        "한국abc",
        "ㄅ漢a",
        "a_b@c+d-e.f",
        "5",
    ],
)
def test_alphabets_that_belong_together(login):
    assert not mixes_scripts(User.normalize_username(login))


# --- Sign-up


@pytest.mark.parametrize(
    ("login", "error"),
    [("mеmber", LoginMixesScripts), ("rnember", LoginLooksTaken), ("ＭＥＭＢＥＲ", LoginTaken)],
)
def test_sign_up_refuses_what_looks_like_a_login_that_is_taken(db, now, login, error):
    UserFactory(username="member")
    with pytest.raises(error):
        register(login, password=PASSWORD, now=now)


def test_a_login_in_another_alphabet_is_fine_unless_it_looks_taken(db, now):
    UserFactory(username="scope")
    register("елена", password=PASSWORD, now=now)
    with pytest.raises(LoginLooksTaken):
        register("ѕсоре", password=PASSWORD, now=now)


@pytest.mark.parametrize(("login", "words"), [("mеmber", MIXED), ("rnember", TAKEN)])
def test_the_page_says_so_at_the_field(client, db, login, words):
    UserFactory(username="member")
    fields = {"username": login, "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post("/accounts/register/", fields)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"username": [words]}


def test_a_deleted_account_blocks_no_login(db, now):
    erase(UserFactory(username="member"), now=now)
    register("rnember", password=PASSWORD, now=now)


@pytest.mark.django_db(transaction=True)
def test_only_one_of_several_simultaneous_lookalikes_gets_through(now):
    logins = ["scope", "ѕсоре"] * 4
    calls = [lambda login=login: register(login, password=PASSWORD, now=now) for login in logins]
    made = [found for found in at_once(*calls) if isinstance(found, User)]
    assert len(made) == 1
    assert User.objects.count() == 1


@pytest.mark.parametrize("bulk", [True, False])
def test_no_other_door_writes_a_lookalike(db, bulk):
    """The constraint decides, even for commands and scripts that bypass the services."""
    UserFactory(username="member")
    other = User(username="rnember")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([other]) if bulk else other.save()


# --- The admin


@pytest.fixture
def admin(client, db):
    client.force_login(UserFactory(username="root", is_superuser=True, is_staff=True))
    return client


def of_the_page(page, **changes):
    form = page.context["adminform"].form
    fields = {name: form[name].value() for name in form.fields}
    fields = {name: value for name, value in fields.items() if value not in (None, False)}
    rows = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0}
    return fields | {f"staff_roles-{name}": value for name, value in rows.items()} | changes


@pytest.mark.parametrize(("login", "words"), [("mеmber", MIXED), ("rnember", TAKEN)])
def test_the_admin_refuses_them_too(admin, login, words):
    UserFactory(username="member")
    person = UserFactory(username="carol")
    fields = {"username": login, "password1": PASSWORD, "password2": PASSWORD}
    added = admin.post("/admin/accounts/user/add/", fields)
    url = f"/admin/accounts/user/{person.pk}/change/"
    changed = admin.post(url, of_the_page(admin.get(url), username=login))
    for answer in (added, changed):
        assert answer.context["adminform"].form.errors == {"username": [words]}


def test_existing_lookalikes_are_saved_as_before(admin):
    UserFactory(username="member")
    old = UserFactory(username="mеmber", looks_alike=True)
    url = f"/admin/accounts/user/{old.pk}/change/"
    assert admin.post(url, of_the_page(admin.get(url), name="Maria")).status_code == 302
    old.refresh_from_db()
    assert (old.name, old.looks_alike) == ("Maria", True)


@pytest.mark.parametrize(("login", "words"), [("mеmber", MIXED), ("rnember", TAKEN)])
def test_the_command_for_superusers_refuses_them_too(db, monkeypatch, login, words):
    UserFactory(username="member")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match=words):
        call_command("createsuperuser", "--no-input", username=login)
    call_command("createsuperuser", "--no-input", username="root")
    assert User.objects.get(username="root").is_superuser


# --- Those who were there before


def test_the_migration_keeps_every_login_and_marks_the_later_of_two(db):
    names = ["member", "mеmber", "елена", "rnember"]
    User.objects.bulk_create(User(username=name, looks_alike=True) for name in names)
    User.objects.update(look=None)
    fill = import_module("accounts.migrations.0006_fill_look").fill
    fill(apps, connection.schema_editor())
    found = User.objects.order_by("pk").values_list("username", "look", "looks_alike")
    marks = [False, True, False, True]
    assert list(found) == [(n, look(n), mark) for n, mark in zip(names, marks, strict=True)]


def test_they_sign_in(db):
    UserFactory(username="member")
    UserFactory(username="mеmber", looks_alike=True, password="another horse of staples")
    client = Client()
    fields = {"username": "mеmber", "password": "another horse of staples"}
    assert client.post("/accounts/login/", fields).status_code == 302
