"""Somebody forgot a password: a link comes by mail, and opens a page for a new one, once."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client
from django.utils import timezone

from accounts import due, passwords
from accounts.factories import PASSWORD, UserFactory
from accounts.models import PasswordQuestion, PasswordRequest
from accounts.services import change, erase
from bookings.tests.crowd import at_once
from notifications.mail.sending import deliver_mail
from notifications.tests.inbox import html, sent, text
from notifications.tests.smtp import closed_port, mailers, receiving

URL = "/accounts/forgotten/"
NEW = "staple of the other horse"
ON_ITS_WAY = "If we know you and your address, an e-mail with a link is on its way to you."

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture
def ask(client):
    def post(who="anna", **more):
        return client.post(URL, {"who": who}, **more)

    return post


def link_in(message):
    [link] = re.findall(r"https://mesto.example(/accounts/forgotten/\S+)", text(message))
    return link


@pytest.fixture
def link(ask, anna):
    ask()
    [message] = sent(timezone.now())
    return link_in(message)


def choose(link, new=NEW, again=NEW):
    return Client().post(link, {"new_password1": new, "new_password2": again})


def can_sign_in(login, password):
    client = Client()
    client.post("/accounts/login/", {"username": login, "password": password})
    return "_auth_user_id" in client.session


# --- Asking ---------------------------------------------------------------------------------------


def test_the_sign_in_page_links_here(client):
    assert f'href="{URL}"' in client.get("/accounts/login/").text
    assert client.get(URL).status_code == 200


def test_a_link_comes_by_mail(ask, anna):
    answer = ask()
    assert (answer.status_code, answer.url) == (302, "/accounts/login/")
    [message] = sent(timezone.now())
    link = link_in(message)
    assert message["To"] == "anna@example.org"
    assert message["Subject"] == "A new password for Mesto"
    assert message["Auto-Submitted"] == "auto-generated"
    assert text(message) == (
        "Choose a new password.\n"
        "\n"
        "Login: anna\n"
        "\n"
        "The link works once, and for two hours.\n"
        "\n"
        f"Choose a new password: https://mesto.example{link}\n"
        "\n"
        "-- \n"
        "Somebody asked for it at Mesto. If that wasn’t you, do nothing: everything "
        "stays as it is.\n"
    )
    assert f'href="https://mesto.example{link}"' in html(message)
    assert sent(timezone.now() + timedelta(hours=1)) == []


@pytest.mark.parametrize("who", ["ANNA", " anna ", "Anna@Example.ORG"])
def test_login_or_address_in_any_capitals(ask, anna, who):
    ask(who)
    assert len(sent(timezone.now())) == 1


def test_people_who_share_a_mailbox_get_a_link_each(ask, anna, rita):
    change(rita, email="anna@example.org")
    ask("anna@example.org")
    assert len(sent(timezone.now())) == 2


def test_accounts_that_strangers_made_with_an_address_keep_nobody_from_a_link(ask, db):
    for n in range(passwords.MOST_OF_ONE_MAILBOX):
        UserFactory.create(
            username=f"stranger{n}", email="vera@example.org", email_confirmed_at=None
        )
    UserFactory.create(username="vera", email="vera@example.org")
    ask("vera@example.org")
    told = [text(message) for message in sent(timezone.now())]
    assert len(told) == passwords.MOST_OF_ONE_MAILBOX
    assert any("Login: vera\n" in words for words in told)


@pytest.mark.parametrize(
    "who", ["nobody", "nobody@example.org", "alice", "gone", "closed", "x" * 254]
)
def test_the_answer_is_the_same_when_nothing_is_sent(client, ask, alice, who):
    """Unknown, without an address, deactivated, with no password to forget."""
    UserFactory.create(username="gone", email="gone@example.org", is_active=False)
    closed = UserFactory.create(username="closed", email="closed@example.org")
    closed.set_unusable_password()
    closed.save()
    assert ask(who).url == "/accounts/login/"
    assert ON_ITS_WAY in client.get("/accounts/login/").text
    assert sent(timezone.now()) == []
    assert not PasswordRequest.objects.exists()


@pytest.mark.parametrize("who", ["", "   ", "x" * 255, "a\x00"])
def test_an_empty_field_is_refused_at_the_field(ask, db, who):
    answer = ask(who)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"who"}


def test_nobody_gets_mail_over_and_over(ask, anna):
    mails = []
    for _ in range(5):
        ask()
        mails += sent(timezone.now())
    assert len(mails) == 1
    PasswordRequest.objects.update(asked_at=timezone.now() - passwords.AGAIN_AFTER)
    ask()
    assert len(sent(timezone.now())) == 1


def test_somebody_who_asks_for_many_is_stopped_and_others_are_not(ask, settings, db):
    for n in range(settings.TRIES["forgotten"]["address"]):
        assert ask(f"user{n}", REMOTE_ADDR="192.0.2.1").status_code == 302
    stopped = ask("one more", REMOTE_ADDR="192.0.2.1")
    assert stopped.status_code == 429
    assert "Try again in 60 minutes." in stopped.text
    assert 'value="one more"' in stopped.text
    assert ask(REMOTE_ADDR="192.0.2.2").status_code == 302


def test_in_the_language_of_the_page_for_people_who_chose_none(client, anna):
    client.post(URL, {"who": "anna"}, headers={"accept-language": "ru"})
    [message] = sent(timezone.now())
    assert message["Subject"] == "Новый пароль для Mesto"
    assert text(message).startswith("Задайте новый пароль.\n\nЛогин: anna\n")


def test_in_the_language_of_the_reader_whoever_asks(client, rita):
    client.post(URL, {"who": "rita"}, headers={"accept-language": "en"})
    [message] = sent(timezone.now())
    assert message["Subject"] == "Новый пароль для Mesto"


# --- Sending --------------------------------------------------------------------------------------


def test_no_page_waits_for_the_mail_server_and_the_link_comes_when_it_is_back(ask, anna, settings):
    settings.MAILERS = mailers(closed_port())
    assert ask().status_code == 302
    now = timezone.now()
    assert deliver_mail(now=now) == 1
    assert deliver_mail(now=now) == 0  # not again at once
    with receiving() as server:
        assert deliver_mail(now=now + due.RETRY) == 1
        assert deliver_mail(now=now + 3 * due.RETRY) == 0
    assert server.recipients == ["anna@example.org"]


def test_letters_that_failed_for_hours_are_not_sent_any_more(ask, anna):
    ask()
    passwords.look_up(now=timezone.now())
    assert sent(timezone.now() + due.GIVE_UP) == []
    assert PasswordRequest.objects.get().due_at is None


def test_requests_no_worker_handled_for_hours_are_dropped(ask, anna):
    ask()
    assert sent(timezone.now() + due.GIVE_UP) == []
    assert not PasswordQuestion.objects.exists()


def test_an_address_that_is_refused_for_good_is_not_tried_again(ask, anna, rita):
    ask()
    ask("rita")
    with receiving() as server:
        server.answers["anna@example.org"] = "550 unknown"
        assert deliver_mail(now=timezone.now()) == 2
        assert deliver_mail(now=timezone.now() + timedelta(hours=1)) == 0
    assert server.recipients == ["rita@example.org"]


@pytest.mark.parametrize("address", ["nobody", "a@b\r\nBcc: eve@example.org"])
def test_a_strange_address_stops_no_other(ask, anna, rita, address):
    change(anna, email=address)
    ask()
    ask("rita")
    with receiving() as server:
        while deliver_mail(now=timezone.now()):
            pass
    assert "rita@example.org" in server.recipients
    assert PasswordRequest.objects.filter(due_at=None).count() == 2


def test_a_person_who_leaves_meanwhile_gets_no_mail(ask, anna):
    ask()
    ask("anna@example.org")
    erase(anna, now=timezone.now())
    assert not PasswordQuestion.objects.exists()
    assert sent(timezone.now()) == []
    assert not PasswordRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_send_each_link_once(ask):
    for n in range(8):
        UserFactory.create(username=f"user{n}", email=f"user{n}@example.org")
        ask(f"user{n}")

    def work():
        while deliver_mail(now=timezone.now()):
            pass

    with receiving() as server:
        assert at_once(*[work] * 4) == [None] * 4
    assert sorted(server.recipients) == [f"user{n}@example.org" for n in range(8)]


# --- Choosing -------------------------------------------------------------------------------------


def test_the_holder_of_the_link_chooses_a_password(client, link, anna):
    assert "Choose a new password" in client.get(link).text
    answer = choose(link)
    assert (answer.status_code, answer.url) == (302, "/accounts/login/")
    assert can_sign_in("anna", NEW)
    assert not can_sign_in("anna", PASSWORD)


def test_opening_the_link_changes_nothing(client, link):
    for _ in range(3):
        client.get(link)
        client.head(link)
    assert can_sign_in("anna", PASSWORD)


def test_other_devices_are_signed_out(ask, anna):
    other = Client()
    other.force_login(anna)
    ask()
    [message] = sent(timezone.now())
    choose(link_in(message))
    assert other.get("/accounts/profile/").status_code == 302


@pytest.mark.parametrize(
    ("new", "again"), [("short", "short"), (NEW, "another"), ("12345678", "12345678"), ("", "")]
)
def test_a_weak_or_mistyped_password_is_refused_and_the_link_stays_good(link, new, again):
    assert choose(link, new, again).status_code == 422
    assert choose(link).status_code == 302


def test_a_link_works_once(client, link):
    choose(link)
    again = choose(link, "another horse of staples", "another horse of staples")
    assert again.status_code == 404
    assert "This link no longer works" in again.text
    assert f'href="{URL}"' in client.get(link).text
    assert can_sign_in("anna", NEW)


def test_a_link_is_valid_for_two_hours(client, link, monkeypatch):
    def later(minutes):
        at = datetime.now() + timedelta(minutes=minutes)  # noqa: DTZ005 - as Django does
        monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: at)

    later(119)
    assert client.get(link).status_code == 200
    later(121)
    assert choose(link).status_code == 404


def test_changing_the_address_invalidates_the_link(client, link, anna):
    change(anna, email="other@example.org")
    assert client.get(link).status_code == 404


def test_a_person_who_left_has_no_link_any_more(client, link, anna):
    erase(anna, now=timezone.now())
    assert client.get(link).status_code == 404


def test_one_persons_link_opens_nothing_for_another(client, link, rita):
    key = link.split("/")[-2].partition("-")[2]
    assert client.get(f"{URL}{passwords.int_to_base36(rita.pk)}-{key}/").status_code == 404


@pytest.mark.parametrize("key", ["x", "-", "1-", "1-a-b", "%00-a-b", "z" * 13 + "-a-b", "я-a-b"])
def test_a_forged_link_is_a_page_that_says_so(client, anna, key):
    answer = client.get(f"{URL}{key}/")
    assert answer.status_code == 404
    assert "This link no longer works" in answer.text or key == "%00-a-b"


def test_other_peoples_guesses_do_not_lock_the_owner_out(link, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(4):
        can_sign_in("anna", "wrong")
    assert not can_sign_in("anna", PASSWORD)
    choose(link)
    assert can_sign_in("anna", NEW)


def test_the_pages_are_not_cached(client, link):
    for path in (URL, link):
        assert "no-store" in client.get(path)["Cache-Control"]
