"""Who is asking: a token or a session, and what each may do."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from accounts.tests.programs import issue, post, program
from accounts.tokens import find
from bookings.tests.acts import book, hours
from bookings.tests.crowd import TOKEN

pytestmark = pytest.mark.any_database

LIST = "/api/v1/bookings"  # signed in only
SPACES = "/api/v1/spaces"  # for everyone


@pytest.fixture
def browser(alice):
    """A browser in which Alice is signed in, with the cookie of its forms."""
    found = Client(enforce_csrf_checks=True)
    found.force_login(alice)
    found.cookies["csrftoken"] = TOKEN
    return found


def codes(*answers):
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


def challenge(answer):
    assert codes(answer) == [(401, "unauthenticated")]
    return answer["WWW-Authenticate"]


# --- Tokens


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_a_token_identifies_its_owner(client, alice, scheme):
    _, text = issue(alice)
    answer = client.get(LIST, headers={"authorization": f"{scheme} {text}"})
    assert answer.status_code == 200
    assert not answer.cookies


def test_without_a_token_the_answer_says_how_to_sign_in(client, db):
    assert challenge(client.get(LIST)) == 'Bearer realm="Mesto"'


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer mesto_unknown",
        "Bearer \x00",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 10_000,
        "Basic YWxpY2U6cGFzc3dvcmQ=",
        "mesto_unknown",
        "Bearer, Bearer",
    ],
)
def test_a_header_without_a_valid_token_is_refused(client, db, header):
    for path in (LIST, SPACES):
        answer = client.get(path, headers={"authorization": header})
        assert challenge(answer) == 'Bearer realm="Mesto", error="invalid_token"'


def test_an_expired_token_is_refused_to_the_second(alice, now):
    token, text = issue(alice)
    assert program(text).get(LIST).status_code == 200
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert "invalid_token" in challenge(program(text).get(LIST))


def test_a_token_without_an_end_stays_valid(alice):
    _, text = issue(alice, expires_at=None)
    assert program(text).get(LIST).status_code == 200


def test_a_revoked_token_is_refused(alice):
    token, text = issue(alice)
    token.delete()
    assert "invalid_token" in challenge(program(text).get(LIST))


def test_the_token_of_a_closed_account_is_refused(alice):
    _, text = issue(alice)
    get_user_model().objects.update(is_active=False)
    assert "invalid_token" in challenge(program(text).get(LIST))


def test_part_of_a_token_is_refused(alice):
    token, text = issue(alice)
    for other in (text[:-1], text.swapcase(), text.removeprefix("mesto_"), token.digest):
        assert challenge(program(other).get(LIST))


def test_a_read_only_token_reads_and_changes_nothing(alice):
    _, text = issue(alice, scope="READ")
    reader = program(text)
    assert reader.get(LIST).status_code == 200
    booking = f"{LIST}/00000000-0000-0000-0000-000000000000"
    answers = [post(reader, LIST, {}), reader.delete(booking), reader.patch(booking, {})]
    assert codes(*answers) == [(403, "read_only_token")] * 3


def test_a_token_needs_no_csrf_token(alice):
    _, text = issue(alice)
    strict = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {text}"})
    assert codes(post(strict, LIST, {})) == [(422, "invalid")]


# --- When a token was used


def test_the_use_of_a_token_is_recorded(clock, alice):
    token, text = issue(alice)
    program(text).get(LIST)
    token.refresh_from_db()
    assert token.last_used_at == clock.now


@pytest.mark.parametrize(("seconds", "is_noted"), [(59, False), (61, True)])
def test_it_is_recorded_once_a_minute(alice, now, seconds, is_noted, django_assert_num_queries):
    token, text = issue(alice, now=now)
    find(text, now=now)
    later = now + timedelta(seconds=seconds)
    with django_assert_num_queries(1 + is_noted):
        find(text, now=later)
    token.refresh_from_db()
    assert token.last_used_at == (later if is_noted else now)


def test_a_refused_token_does_not_count_as_used(alice):
    token, text = issue(alice, days=-1)
    program(text).get(LIST)
    token.refresh_from_db()
    assert token.last_used_at is None


# --- Sessions


def test_a_session_reads(browser):
    assert browser.get(LIST).status_code == 200


def test_a_session_needs_the_csrf_token_to_change_things(browser):
    assert codes(post(browser, LIST, {})) == [(403, "csrf_failed")]
    assert codes(post(browser, LIST, {}, **{"x-csrftoken": "b" * 32})) == [(403, "csrf_failed")]
    assert codes(post(browser, LIST, {}, **{"x-csrftoken": TOKEN})) == [(422, "invalid")]


def test_a_form_with_a_csrf_token_is_not_json(browser):
    """The check finds the token in a multipart form, which can be read only once."""
    answer = browser.post(LIST, {"csrfmiddlewaretoken": TOKEN})
    assert codes(answer) == [(400, "malformed")]


def test_a_request_from_another_site_changes_nothing(browser):
    headers = {"x-csrftoken": TOKEN, "origin": "https://evil.example"}
    assert codes(post(browser, LIST, {}, **headers)) == [(403, "csrf_failed")]


def test_a_bad_token_is_refused_even_with_a_session(browser):
    for path in (LIST, SPACES):
        answer = browser.get(path, headers={"authorization": "Bearer mesto_unknown"})
        assert "invalid_token" in challenge(answer)


def test_a_token_takes_precedence_over_the_session(browser, bob, desk, soon):
    booking = book(desk, bob, soon - hours(24), soon)
    _, text = issue(bob)
    path = f"{LIST}/{booking.code}"
    assert browser.get(path).status_code == 404
    assert browser.get(path, headers={"authorization": f"Bearer {text}"}).status_code == 200


def test_an_ended_session_is_refused(browser, alice):
    alice.set_password("another")
    alice.save()
    assert challenge(browser.get(LIST)) == 'Bearer realm="Mesto"'


# --- Public operations


def test_everyone_sees_the_spaces(client, browser, space, alice):
    _, text = issue(alice)
    for who in (client, browser, program(text)):
        assert who.get(SPACES).status_code == 200
