from unicodedata import normalize

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.test import Client

from accounts.factories import PASSWORD, UserFactory
from accounts.tests.programs import post
from config.auth import _nobody

pytestmark = pytest.mark.any_database

URL = "/accounts/login/"
WRONG = ["Login or password is wrong."]


@pytest.fixture
def sign_in(client, alice):
    def post(username="alice", password=PASSWORD, **more):
        return client.post(URL, {"username": username, "password": password, **more})

    return post


def is_signed_in(client):
    return client.get("/accounts/profile/").status_code == 200


def test_a_member_signs_in_with_login_and_password(client, sign_in):
    response = sign_in()
    assert (response.status_code, response.url) == (302, "/")
    assert is_signed_in(client)


@pytest.mark.parametrize("login", ["ALICE", "Alice", "ａｌｉｃｅ", " alice "])
def test_capitals_wide_letters_and_spaces_around_make_no_difference(client, sign_in, login):
    sign_in(login)
    assert is_signed_in(client)


def test_a_login_in_another_alphabet_has_capitals_too(client, sign_in):
    UserFactory(username="Ольга")
    sign_in("ОЛЬГА")
    assert is_signed_in(client)


def test_a_private_page_asks_to_sign_in_and_is_shown_afterwards(client, sign_in):
    response = client.get("/accounts/profile/?a=1")
    assert response.url == "/accounts/login/?next=/accounts/profile/%3Fa%3D1"
    assert 'value="/accounts/profile/?a=1"' in client.get(response.url).content.decode()
    assert sign_in(next="/accounts/profile/?a=1").url == "/accounts/profile/?a=1"


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "///evil.example", "http:///evil.example",
     "/\\evil.example", "javascript:alert(1)", "home", "http://[", URL, "\x00", "x" * 9999],
)  # fmt: skip
def test_nobody_is_sent_to_another_site(sign_in, wanted):
    assert sign_in(next=wanted).url == "/"
    assert sign_in(next=wanted).url == "/"  # signed in already


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("alice", "wrong"),
        ("nobody", PASSWORD),
        ("alice", PASSWORD.upper()),
        ("alice", f" {PASSWORD}"),
        ("al%ce", PASSWORD),
        ("al_ce", PASSWORD),
        ("x" * 151, PASSWORD),
        ("x" * 100_000, PASSWORD),
        ("ΐ" * 150, PASSWORD),
        ("ﷺ" * 150, PASSWORD),
        ("\ud7ff\ufffd", PASSWORD),
        ("alice", "x" * 100_000),
    ],
)
def test_one_sentence_covers_every_failure(client, sign_in, login, password):
    response = sign_in(login, password)
    assert response.status_code == 422
    assert response.context["form"].errors == {"__all__": WRONG}
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("login", "password", "field"),
    [
        ("", PASSWORD, "username"),
        ("alice", "", "password"),
        ("alice\x00", PASSWORD, "username"),
        ("alice", "a\x00", "password"),
    ],
)
def test_impossible_values_are_reported_at_the_field(sign_in, login, password, field):
    response = sign_in(login, password)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}


def test_broken_utf8_is_not_a_server_error(client, db):
    body = b"username=%ED%A0%80%FF&password=%C3%28"
    response = client.post(URL, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 422


def test_a_deactivated_person_is_refused_with_the_same_sentence(client, sign_in, alice):
    alice.is_active = False
    alice.save()
    assert sign_in().context["form"].errors == {"__all__": WRONG}


def test_the_session_gets_a_new_key(client, sign_in):
    client.cookies["sessionid"] = "0123456789abcdef0123456789abcdef"
    sign_in()
    assert client.cookies["sessionid"].value != "0123456789abcdef0123456789abcdef"


def test_the_password_is_not_shown_again(sign_in):
    assert "wr0ng-one" not in sign_in(password="wr0ng-one").content.decode()


def test_signing_in_needs_a_token_of_our_page(alice):
    client = Client(enforce_csrf_checks=True)
    data = {"username": "alice", "password": PASSWORD}
    assert client.post(URL, data).status_code == 403


def test_other_methods_are_refused(client, db):
    assert client.put(URL).status_code == 405


def test_the_page_takes_no_queries_for_a_visitor(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert client.get(URL).status_code == 200


def test_password_managers_are_helped(client, db):
    html = client.get(URL).content.decode()
    assert html.count('autocomplete="username"') == 1
    assert html.count('autocomplete="current-password"') == 1


# --- The same keys on another system


def password_of(user, typed):
    user.password = make_password(typed)  # as it was hashed before
    user.save()


@pytest.mark.parametrize("typed", ["йод и соль", normalize("NFD", "йод и соль"), "plain old one"])
def test_a_password_is_the_same_in_composed_and_decomposed_letters(db, typed):
    user = UserFactory(username="yura", password=typed)
    for form in ("NFC", "NFD"):
        assert user.check_password(normalize(form, typed))
    user.set_password(normalize("NFD", typed))
    assert user.check_password(typed)


def test_an_older_password_works_as_it_was_typed_then(alice):
    typed = normalize("NFD", "йод и соль")
    password_of(alice, typed)
    assert alice.check_password(typed)
    assert not alice.check_password("йод и сало")


@pytest.mark.parametrize("typed", ["wrong", normalize("NFD", "йод и соль")])
def test_an_unknown_login_is_hashed_as_often_as_a_known_one(alice, client, monkeypatch, typed):
    hashed = []
    verify = MD5PasswordHasher.verify
    monkeypatch.setattr(
        MD5PasswordHasher, "verify", lambda *given: hashed.append(given[1]) or verify(*given)
    )
    _nobody.cache_clear()  # made with another test's hasher
    counts = []
    for login in ("alice", "nobody"):
        client.post(URL, {"username": login, "password": typed})
        counts.append(len(hashed))
        hashed.clear()
    assert counts[0] == counts[1] > 0


# --- Pages and programs agree


@pytest.mark.parametrize("login", [" alice ", "alice\t", "\u00a0alice", "ALICE\u3000"])
def test_blanks_around_a_login_mean_nothing_to_pages_and_programs(client, sign_in, login):
    sign_in(login)
    assert is_signed_in(client)
    body = {"username": login, "password": PASSWORD}
    assert post(Client(), "/api/v1/auth/token", body).status_code == 201


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD} "])
def test_blanks_around_a_password_count_for_both(client, sign_in, password):
    sign_in(password=password)
    assert not is_signed_in(client)
    body = {"username": "alice", "password": password}
    assert post(Client(), "/api/v1/auth/token", body).status_code == 401
