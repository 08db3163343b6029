"""A new password ends the sessions; what works without it is shown, and closed with one click."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts import access, passwords, tokens
from accounts.factories import PASSWORD, UserFactory
from accounts.models import ApiToken, User
from accounts.tests.programs import issue, program
from notifications.calendars import feeds
from notifications.models import CalendarFeed

pytestmark = pytest.mark.any_database

NEW = "staple of the other horse"
STAYS = "/accounts/stays/"


@pytest.fixture
def anna(space):
    """Has a program, a long-forgotten tablet, and a calendar."""
    anna = UserFactory(username="anna", email="anna@example.org")
    issue(anna, name="Door tablet")
    issue(anna, name="Old tablet", days=-3)
    feeds.make(anna, space=None, place=None, now=timezone.now())
    return anna


def own(anna):
    client = Client()
    client.force_login(anna)
    fields = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    return client, client.post("/accounts/password/", fields)


def link(anna):
    client = Client()
    url = f"/accounts/forgotten/{passwords.key_of(anna)}/"
    return client, client.post(url, {"new_password1": NEW, "new_password2": NEW})


def admin(anna):
    client = Client()
    client.force_login(UserFactory(username="root", is_superuser=True, is_staff=True))
    url = f"/admin/accounts/user/{anna.pk}/password/"
    return client, client.post(url, {"password1": NEW, "password2": NEW, "set-password": "1"})


def command(anna, monkeypatch):
    from django.contrib.auth.management.commands.changepassword import Command

    monkeypatch.setattr(Command, "_get_pass", lambda *_: NEW)
    out = StringIO()
    call_command("changepassword", "anna", stdout=out)
    return out.getvalue()


#: Every page that sets a password, by URL name.
PAGES = {"password": own, "new_password": link, "auth_user_password_change": admin}
#: Those that ask for the old one, or only lead to one of the others.
LEADS = {"password", "password_change", "password_change_done"}


def names_of_pages(resolver=None):
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from names_of_pages(pattern)
        elif pattern.name:
            yield pattern.name


def test_no_page_that_sets_a_password_is_left_out():
    assert {name for name in names_of_pages() if "password" in name} == {*PAGES, *LEADS}


def test_no_command_that_sets_a_password_is_left_out():
    found = {name: app for name, app in get_commands().items() if "password" in name}
    assert found == {"changepassword": "accounts"}


@pytest.mark.parametrize("change", PAGES.values(), ids=PAGES)
def test_every_new_password_ends_the_other_sessions(anna, change):
    other = Client()
    other.force_login(anna)
    assert change(anna)[1].status_code == 302
    assert other.get("/accounts/profile/").status_code == 302
    anna.refresh_from_db()
    assert anna.check_password(NEW)


def test_after_a_change_the_person_is_shown_what_stays(anna):
    client, answer = own(anna)
    assert answer.url == STAYS
    page = client.get(STAYS)
    assert "Your password is changed. Other devices are signed out." in page.text
    assert "Door tablet" in page.text
    assert "My bookings at Mesto" in page.text
    assert "Old tablet" not in page.text
    assert ApiToken.objects.count() == 2


def test_one_click_revokes_everything(anna):
    text = issue(anna)[1]
    url = f"/calendars/{feeds.token_of(CalendarFeed.objects.get())}.ics"
    client, _ = own(anna)
    assert program(text).get("/api/v1/bookings").status_code == 200
    assert Client().get(url).status_code == 200
    assert client.post(STAYS).url == "/accounts/profile/"
    assert program(text).get("/api/v1/bookings").status_code == 401
    assert Client().get(url).status_code == 404
    assert "Nothing does." in client.get(STAYS).text


def test_nobody_elses_tokens_are_revoked(anna, alice):
    issue(alice)
    feeds.make(alice, space=None, place=None, now=timezone.now())
    client, _ = own(anna)
    client.post(STAYS)
    assert [len(ways.names) for ways in access.left_open(alice, now=timezone.now())] == [1, 1]


def test_a_person_with_nothing_left_open_goes_to_the_profile(alice):
    assert own(alice)[1].url == "/accounts/profile/"


def test_looking_at_the_page_changes_nothing(client, anna):
    client.force_login(anna)
    for _ in range(2):
        assert client.get(STAYS).status_code == 200
    assert ApiToken.objects.count() == 2
    assert client.put(STAYS).status_code == 405
    assert Client().post(STAYS).url == f"/accounts/login/?next={STAYS}"


@pytest.mark.parametrize("reset", [link, admin], ids=["link", "admin"])
def test_resetting_a_password_ends_the_tokens_and_says_what_stays(anna, reset):
    client, answer = reset(anna)
    page = client.get(answer.url)
    assert not ApiToken.objects.exists()
    assert "1 API token is revoked. Programs that used it need a new one." in page.text
    assert "These stay open to anyone who has their addresses: My bookings at Mesto." in page.text


def test_after_a_reset_signing_in_leads_to_what_stays(anna):
    client, answer = link(anna)
    assert answer.url == f"/accounts/login/?next={STAYS.replace('/', '%2F')}"
    fields = {"username": "anna", "password": NEW, "next": STAYS}
    assert client.post("/accounts/login/", fields).url == STAYS


def test_the_command_does_the_same(anna, monkeypatch):
    said = command(anna, monkeypatch)
    assert "1 API token is revoked." in said
    assert "My bookings at Mesto" in said
    assert not ApiToken.objects.exists()
    assert User.objects.get().check_password(NEW)


def test_the_admin_sets_the_password_of_a_deactivated_person(anna):
    User.objects.update(is_active=False)
    admin(anna)
    anna.refresh_from_db()
    assert anna.check_password(NEW)


@pytest.mark.django_db(transaction=True)
def test_no_token_is_made_with_a_password_that_was_just_changed():
    anna = UserFactory(username="anna")
    seen = User.objects.get()  # by a request that has checked the old password
    passwords.choose(anna, password="x", now=timezone.now())
    with pytest.raises(tokens.PermissionDenied):
        issue(seen)


def test_every_kind_of_way_in_is_named():
    """Everything of a person that a URL or a program can name: new kinds must be closed too."""
    named = {
        relation.related_model._meta.label
        for relation in User._meta.related_objects
        if {"digest", "code", "secret"} & {f.name for f in relation.related_model._meta.fields}
    }
    # Their codes are names, not keys: whoever knows one has to sign in all the same.
    of_no_use_to_others = {"bookings.Booking", "accounts.IdempotencyKey", "accounts.Tier"}
    of_no_use_to_others |= {"accounts.RecoveryCode"}  # without the new password
    assert named - of_no_use_to_others == {
        "accounts.ApiToken",
        "accounts.Passkey",
        "notifications.CalendarFeed",
    }
    assert [kind.page for kind in access.KINDS] == ["tokens", "factors", "factors", "calendar"]


#: Keys that open nothing of the person whose password changes, and where each is ended.
OF_NO_ACCOUNT = {
    "accounts.RecoveryCode",  # opens nothing without the password, and is the owner's to renew
    "accounts.Invitation",  # for someone else, once, until it expires: on the staff's page
    "bookings.DoorView",  # a space's screen: its managers switch it off, whoever of them made it
    "bookings.GuestLink",  # one booking of somebody who has no account, and so no password
    "bookings.WaitingParty",  # a party at the door, without an account: over when they are seated
}


def test_every_key_that_we_keep_the_hash_of_is_a_persons_or_nobodys():
    """Also those that name nobody, or name them where the person's own side doesn't show it."""
    hashed = {
        model._meta.label
        for model in apps.get_models()
        if "digest" in {field.name for field in model._meta.fields}
    }
    assert hashed - OF_NO_ACCOUNT == {"accounts.ApiToken"}
    assert hashed >= OF_NO_ACCOUNT
