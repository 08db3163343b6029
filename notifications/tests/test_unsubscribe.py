"""The link below a reminder: a person clicks it, or a mail program does (RFC 8058)."""

from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client

from accounts.services import change
from bookings.deciding.leaving import leave
from bookings.tests.acts import book, hours, local
from notifications.models import MailPreference
from notifications.preferences import choose_reminders, unsubscribe_url, wants_reminders
from notifications.tests.inbox import html, sent

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("site")]

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(anna):
    return urlsplit(unsubscribe_url(anna)).path


@pytest.fixture
def client():
    """Anonymous, without a cookie, and subject to CSRF checks."""
    return Client(enforce_csrf_checks=True)


def test_a_person_is_asked_first(client, anna, link):
    page = client.get(link)
    assert page.status_code == 200
    assert "No more reminders by mail?" in page.text
    assert 'name="List-Unsubscribe" value="One-Click"' in page.text
    assert wants_reminders(anna)


def test_the_button_unsubscribes(client, anna, link):
    page = client.post(link, ONE_CLICK)
    assert page.status_code == 200
    assert "You won’t get any more reminders." in page.text
    assert not wants_reminders(anna)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            b"One-Click\r\n--b--\r\n",
        ),
    ],
)
def test_a_mail_program_can_post_what_the_mail_says(client, desk_12, anna, now, content_type, body):
    """From a mail that was really sent, in either of the forms of RFC 8058, section 3.2."""
    starts_at = local(desk_12.space, "2026-11-28T13:00")
    book(desk_12, anna, now, starts_at)
    sent(now)
    [message] = sent(starts_at - hours(24))
    url = message["List-Unsubscribe"].strip("<>")
    answer = client.post(urlsplit(url).path, body, content_type=content_type)
    assert answer.status_code == 200  # no redirect: programs need not follow it
    assert not wants_reminders(anna)
    assert f'href="{url}"' in html(message)


def test_clicking_twice_does_no_harm(client, anna, link):
    for _ in range(2):
        assert client.post(link, ONE_CLICK).status_code == 200
    assert not wants_reminders(anna)
    assert "You won’t get any more reminders." in client.get(link).text


def test_a_mistaken_click_can_be_undone(client, anna, link):
    page = client.post(link, ONE_CLICK)
    assert 'name="List-Unsubscribe" value="Undo"' in page.text
    page = client.post(link, {"List-Unsubscribe": "Undo"})
    assert "You will get reminders again." in page.text
    assert wants_reminders(anna)


def test_it_is_about_the_reader_whoever_is_signed_in(anna, rita, link):
    """The mail was forwarded, or two people share a browser."""
    client = Client()
    client.force_login(rita)
    client.post(link, ONE_CLICK)
    assert not wants_reminders(anna)
    assert wants_reminders(rita)


def test_the_page_names_nobody(client, anna, link):
    change(anna, name="Anna Ivanova")
    for page in (client.get(link), client.post(link, ONE_CLICK)):
        assert "anna" not in page.text.replace(link, "").lower()


def test_a_program_that_only_opens_the_link_changes_nothing(client, anna, link):
    client.get(link)
    client.head(link)
    assert client.options(link).status_code == 405
    assert not MailPreference.objects.exists()


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "x"}, {"reminders": "off"}])
def test_a_post_that_says_something_else_changes_nothing(client, anna, link, body):
    page = client.post(link, body)
    assert page.status_code == 422
    assert "No more reminders by mail?" in page.text
    assert not MailPreference.objects.exists()


def forged(anna):
    good = signing.Signer(salt="notifications.unsubscribe").sign_object(anna.pk)
    other = signing.Signer(salt="notifications.unsubscribe")
    return {
        "changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "cut": good[:10],
        "for something else": signing.Signer(salt="other").sign_object(anna.pk),
        "by another key": signing.Signer(key="x", salt="notifications.unsubscribe").sign_object(
            anna.pk
        ),
        "of nobody": other.sign_object(10**9),
        "garbage": "\x00",
        "words": "me",
    }


@pytest.mark.parametrize("how", forged(type("", (), {"pk": 1})))
def test_a_forged_link_is_404(client, anna, how):
    link = "/mail/unsubscribe/{}/".format(forged(anna)[how].replace("\x00", "%00"))
    for answer in (client.get(link), client.post(link, ONE_CLICK)):
        assert answer.status_code == 404
        assert "This link no longer works" in answer.text
        assert 'href="/accounts/notifications/"' in answer.text
    assert not MailPreference.objects.exists()


def test_the_link_of_a_person_who_left_stops_working(client, anna, link, now):
    leave(anna, by=anna, now=now)
    assert client.get(link).status_code == 404


def test_an_account_that_the_staff_closed_has_no_link_any_more(client, anna, link):
    change(anna, is_active=False)
    for answer in (client.get(link), client.post(link, ONE_CLICK)):
        assert answer.status_code == 404
    assert not MailPreference.objects.exists()


def test_the_page_is_not_cached(client, link):
    assert "no-store" in client.get(link)["Cache-Control"]


def test_the_account_page_shows_the_same_choice(anna, link):
    client = Client()
    client.force_login(anna)
    client.post(link, ONE_CLICK)
    assert "checked" not in client.get("/accounts/notifications/").text
    choose_reminders(anna, wanted=True)
    assert "No more reminders by mail?" in client.get(link).text
