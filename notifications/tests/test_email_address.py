"""An e-mail address is used once its owner has confirmed it; the old one stays until then."""

import re
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import emails, passwords
from accounts.factories import PASSWORD, UserFactory
from accounts.models import EmailLetter
from accounts.services import erase, register
from bookings.tests.acts import book, hours, local
from bookings.tests.crowd import at_once
from notifications.reminders import remind
from notifications.tests.inbox import html, sent, text

User = get_user_model()
URL = "/accounts/email/"
NEW = "anna@example.com"
REGISTER = "/accounts/register/"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture
def member(client, anna):
    client.force_login(anna)
    return client


@pytest.fixture
def change(member):
    def post(email=NEW, password=PASSWORD):
        return member.post(URL, {"email": email, "password": password})

    return post


def link_in(message):
    [link] = re.findall(r"https://mesto.example(/accounts/email/\S+)", text(message))
    return link


def mails(now=None):
    return {message["To"]: message for message in sent(now or timezone.now())}


def address_of(user):
    user.refresh_from_db()
    return user.email


# --- Changing it


def test_the_new_address_is_used_when_the_link_is_followed(member, change, anna):
    assert change().url == "/accounts/profile/"
    assert f"An e-mail with a link is on its way to {NEW}." in member.get("/accounts/profile/").text
    found = mails()
    assert address_of(anna) == "anna@example.org"
    link = link_in(found[NEW])
    assert NEW in Client().get(link).text
    assert address_of(anna) == "anna@example.org"  # looking changes nothing
    assert Client().post(link).status_code == 302
    assert address_of(anna) == NEW
    assert anna.email_confirmed_at
    assert anna.pending_email == ""


def test_the_old_address_is_told_before_and_after(change, anna):
    change()
    before = mails()
    assert set(before) == {NEW, "anna@example.org"}
    told = before["anna@example.org"]
    assert told["Subject"] == "Your e-mail address at Mesto is about to change"
    assert told["Auto-Submitted"] == "auto-generated"
    assert text(told) == (
        "Your e-mail address is about to change.\n"
        "\n"
        "Login: anna\n"
        f"New address: {NEW}\n"
        "\n"
        "If this wasn’t you, somebody knows your password. Choosing a new one stops the change.\n"
        "\n"
        "Choose a new password: https://mesto.example/accounts/password/\n"
        "\n"
        "-- \n"
        "You get this because it is your account’s address.\n"
    )
    Client().post(link_in(before[NEW]))
    after = mails()
    assert set(after) == {"anna@example.org"}
    assert after["anna@example.org"]["Subject"] == "Your e-mail address at Mesto has changed"
    assert mails() == {}


def test_the_mail_with_the_link_says_whose_it_is(change):
    change()
    found = mails()[NEW]
    link = link_in(found)
    assert found["Subject"] == "Confirm your address for Mesto"
    assert text(found) == (
        "Is this your address?\n"
        "\n"
        "Login: anna\n"
        "\n"
        "Reminders of your bookings start once it is confirmed.\n"
        "The link is valid for three days.\n"
        "\n"
        f"Confirm the address: https://mesto.example{link}\n"
        "\n"
        "-- \n"
        "Somebody entered this address at Mesto. If it wasn’t you, do nothing.\n"
    )
    assert f'href="https://mesto.example{link}"' in html(found)


def test_mails_speak_the_language_of_their_reader(client, rita):
    client.force_login(rita)
    client.post(URL, {"email": NEW, "password": PASSWORD})
    assert {mail["Subject"] for mail in mails().values()} == {
        "Подтвердите адрес для Mesto",
        "Ваш адрес почты в Mesto вот-вот изменится",
    }


@pytest.mark.parametrize("password", ["wrong", "", f"{PASSWORD} "])
def test_the_password_is_needed(change, anna, password):
    answer = change(password=password)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"password"}
    assert f'value="{NEW}"' in answer.text
    assert mails() == {}
    assert address_of(anna) == "anna@example.org"


def test_the_password_is_not_guessed_here(change, settings):
    settings.TRIES["password"] = {"login": 3}
    answers = [change(password="wrong").status_code for _ in range(3)]
    assert answers == [422] * 3
    stopped = change()
    assert stopped.status_code == 429
    assert int(stopped["Retry-After"]) > 0
    assert mails() == {}


@pytest.mark.parametrize("email", ["nobody", "a\x00@example.org", f"{'x' * 300}@example.org"])
def test_an_invalid_address_is_refused_at_the_field(change, anna, email):
    answer = change(email)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"email"}


def test_a_removed_address_gets_one_last_notice(change, anna):
    change("")
    assert set(mails()) == {"anna@example.org"}
    assert address_of(anna) == ""
    assert anna.email_confirmed_at is None


def test_entering_the_current_address_cancels_a_pending_one(change, anna):
    change()
    change("anna@example.org")
    assert set(mails()) == {"anna@example.org"}  # the link is not even sent
    assert Client().get(f"{URL}{emails.key_of(anna, NEW)}/").status_code == 404
    assert address_of(anna) == "anna@example.org"
    assert anna.email_confirmed_at


def test_a_first_address_is_used_once_confirmed(client, alice):
    client.force_login(alice)
    client.post(URL, {"email": NEW, "password": PASSWORD})
    assert address_of(alice) == ""
    found = mails()
    assert set(found) == {NEW}
    Client().post(link_in(found[NEW]))
    assert address_of(alice) == NEW
    assert mails() == {}


# --- The link


@pytest.fixture
def link(change):
    change()
    return link_in(mails()[NEW])


def test_a_followed_link_may_be_followed_again(link, anna):
    Client().post(link)
    mails()
    assert Client().post(link).status_code == 302
    assert mails() == {}


def test_a_link_is_valid_for_three_days(link, anna, monkeypatch):
    monkeypatch.setattr(emails, "LINK_LIVES", timedelta(seconds=-1))
    answer = Client().post(link)
    assert answer.status_code == 404
    assert "This link no longer works" in answer.text
    assert address_of(anna) == "anna@example.org"


def test_a_later_request_invalidates_the_link(link, change, anna):
    change("another@example.com")
    assert Client().post(link).status_code == 404
    assert address_of(anna) == "anna@example.org"


def test_a_new_password_stops_a_change_that_a_thief_began(link, member, anna):
    new = "staple of the other horse"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert member.post("/accounts/password/", fields).status_code == 302
    assert Client().post(link).status_code == 404
    assert address_of(anna) == "anna@example.org"


def test_a_person_who_left_has_no_link_and_gets_no_letter(change, anna):
    change()
    key = emails.key_of(anna, NEW)
    erase(anna, now=timezone.now())
    assert mails() == {}
    assert Client().post(f"{URL}{key}/").status_code == 404
    assert not EmailLetter.objects.exists()


@pytest.mark.parametrize("key", ["x", "x:y:z", "WzEsImFAYi5jIl0:1:x", "%00", "я"])
def test_a_forged_link_is_a_page_that_says_so(client, anna, key):
    assert client.get(f"{URL}{key}/").status_code == 404


def test_one_persons_link_confirms_nothing_for_another(link, anna, rita):
    Client().post(f"{URL}{emails.key_of(rita, NEW)}/")
    assert address_of(rita) == "rita@example.org"
    assert address_of(anna) == "anna@example.org"


@pytest.mark.django_db(transaction=True)
def test_following_a_link_many_times_at_once_tells_the_old_address_once(anna):
    emails.ask(anna, NEW, now=timezone.now())
    mails()
    follow = lambda: emails.confirm(anna, NEW, now=timezone.now())  # noqa: E731  # short
    assert at_once(*[follow] * 4) == [True] * 4
    assert EmailLetter.objects.count() == 1
    assert address_of(anna) == NEW


# --- Sign-up, and addresses nobody has confirmed


def sign_up(client, **more):
    fields = {"username": "carol", "password1": PASSWORD, "password2": PASSWORD, **more}
    return client.post(REGISTER, {"email": "carol@example.org", **fields})


def test_a_newcomer_is_sent_a_link(client):
    sign_up(client)
    carol = User.objects.get()
    assert (carol.email, carol.email_confirmed_at) == ("carol@example.org", None)
    page = client.get("/accounts/profile/").text
    assert "not confirmed: no reminders are sent there" in page
    assert "Send the link again" in page
    client.post(link_in(mails()["carol@example.org"]))
    page = client.get("/accounts/profile/").text
    assert "not confirmed" not in page
    assert "Send the link again" not in page


def test_a_newcomer_without_an_address_is_sent_nothing(client):
    sign_up(client, email="")
    assert mails() == {}


def test_the_link_is_sent_again(client):
    sign_up(client)
    mails()
    assert client.post(f"{URL}again/").url == "/accounts/profile/"
    assert set(mails()) == {"carol@example.org"}


def test_nothing_is_sent_again_if_nothing_is_waiting(member):
    assert member.post(f"{URL}again/").url == "/accounts/profile/"
    assert mails() == {}
    assert member.get(f"{URL}again/").status_code == 405


def test_nobody_can_flood_a_mailbox_through_us(client, settings):
    for n in range(settings.TRIES["letter"]["login"] + 3):
        login = f"user{n}"
        register(login, password=PASSWORD, email="victim@example.org", now=timezone.now())
    assert EmailLetter.objects.count() == settings.TRIES["letter"]["login"]
    client.force_login(User.objects.first())
    page = client.post(f"{URL}again/", follow=True)
    assert "That was tried too often." in page.text
    client.post(URL, {"email": "victim@example.org", "password": PASSWORD})
    assert EmailLetter.objects.count() == settings.TRIES["letter"]["login"]


@pytest.fixture
def starts_at(tverskaya):
    """Saturday at one in Moscow; `now` is Wednesday."""
    return local(tverskaya, "2026-11-28T13:00")


def test_reminders_begin_when_the_address_is_confirmed(desk_12, now, starts_at):
    carol = register("carol", password=PASSWORD, email="carol@example.org", now=now)
    booking = book(desk_12, carol, now, starts_at)
    sent(now)  # that it is booked, and the link
    soon = booking.starts_at - hours(1)
    assert remind(now=soon) == 0
    assert sent(soon) == []
    emails.confirm(carol, carol.email, now=now)
    assert remind(now=soon) == 1
    assert len(sent(soon)) == 1


def test_an_address_that_stops_being_confirmed_is_not_reminded(desk_12, anna, now, starts_at):
    booking = book(desk_12, anna, now, starts_at)
    sent(now)
    soon = booking.starts_at - hours(1)
    assert remind(now=soon) == 1
    User.objects.update(email_confirmed_at=None)
    assert sent(soon) == []


def test_the_page_of_notifications_says_so(client):
    sign_up(client)
    assert "confirmed yet. Reminders start" in client.get("/accounts/notifications/").text


def test_a_link_for_a_new_password_confirms_the_address_too(client):
    sign_up(client)
    carol = User.objects.get()
    new = "staple of the other horse"
    key = passwords.key_of(carol)
    Client().post(f"/accounts/forgotten/{key}/", {"new_password1": new, "new_password2": new})
    carol.refresh_from_db()
    assert carol.email_confirmed_at


def test_a_link_for_a_new_password_goes_to_the_address_in_use_only(change, client):
    change()
    mails()
    for who in ("anna", NEW):
        Client().post("/accounts/forgotten/", {"who": who})
    assert set(mails()) == {"anna@example.org"}


# --- Other doors


def test_an_address_set_by_staff_is_confirmed_too_and_the_old_one_told(client, anna):
    client.force_login(UserFactory(username="root", is_superuser=True, is_staff=True))
    url = f"/admin/accounts/user/{anna.pk}/change/"
    fields = {"username": "anna", "email": NEW, "is_active": "on"}
    rows = {"staff_roles-TOTAL_FORMS": 0, "staff_roles-INITIAL_FORMS": 0}
    assert client.post(url, fields | rows).status_code == 302
    assert address_of(anna) == NEW
    assert anna.email_confirmed_at is None
    found = mails()
    assert set(found) == {NEW, "anna@example.org"}
    Client().post(link_in(found[NEW]))
    anna.refresh_from_db()
    assert anna.email_confirmed_at


def test_existing_addresses_count_as_confirmed(anna, alice):
    User.objects.update(email_confirmed_at=None)
    name = "accounts.migrations.0009_addresses_of_before_are_confirmed"
    import_module(name).confirm(apps, connection.schema_editor())
    confirmed = User.objects.filter(email_confirmed_at__isnull=False)
    assert list(confirmed.values_list("username", flat=True)) == ["anna"]


# --- The pages


def test_the_pages_are_not_cached(member, link):
    for path in (URL, link):
        assert "no-store" in member.get(path)["Cache-Control"]


def test_a_visitor_is_asked_to_sign_in(client, anna):
    assert client.post(URL).url == f"/accounts/login/?next={URL}"
    assert client.post(f"{URL}again/").url.startswith("/accounts/login/")
