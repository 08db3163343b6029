"""The page shown while the database is down: it retries by itself, and loses no form."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

ADDRESS = "/unreachable/"
WISH = {"place": "desk-1", "note": 'By the "window" <please>', "request_key": "once"}


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "config.tests.browser.urls"


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def sent_again(page):
    return '<form method="post"' in page.text


def test_a_page_is_requested_again(client):
    page = client.get(ADDRESS)
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert page.text.count('data-retry-after="5"') == 1
    assert '<meta http-equiv="refresh" content="5">' in page.text  # without JavaScript
    assert not sent_again(page)


def test_a_form_that_acts_once_is_submitted_again_by_itself(client):
    page = client.post(ADDRESS, WISH)
    assert page.status_code == 503
    assert '<form method="post" data-retry-after="5">' in page.text
    for name, value in WISH.items():
        assert f'<input type="hidden" name="{name}" value="{escape(value)}">' in page.text
    assert "refresh" not in page.text


def test_any_other_form_waits_for_a_click(client):
    page = client.post(ADDRESS, {"reason": "ill", "day": ["1", "2"]})
    assert sent_again(page)
    assert 'name="day" value="1"' in page.text
    assert 'name="day" value="2"' in page.text
    assert "retry-after" not in page.text


@pytest.mark.parametrize(
    "secret",
    [
        {"username": "alice", "password": "hunter2"},
        {"old_password": "hunter2"},
        {"new_password1": "hunter2", "request_key": "once"},
    ],
)
def test_a_password_stays_in_the_browser(client, secret):
    page = client.post(ADDRESS, secret)
    assert "hunter2" not in page.text
    assert not sent_again(page)
    assert "Go back in your browser" in page.text
    assert "retry-after" not in page.text


def test_so_does_a_file(client):
    page = client.post(ADDRESS, {"file": SimpleUploadedFile("a.csv", b"a"), "request_key": "once"})
    assert not sent_again(page)


def test_a_broken_body_breaks_nothing(client):
    page = client.post(ADDRESS, b"--x", content_type="multipart/form-data; boundary=")
    assert page.status_code == 503
    assert not sent_again(page)


def test_in_russian(client):
    page = client.post(ADDRESS, WISH, headers={"accept-language": "ru"}).text
    assert "Страница сама отправит это ещё раз через 5 секунд." in page
