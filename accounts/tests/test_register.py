from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from accounts.factories import PASSWORD, UserFactory
from accounts.models import User
from accounts.services import LoginTaken, register

URL = "/accounts/register/"


def fields(username="carol", password1=PASSWORD, **more):
    return {"username": username, "password1": password1, **more}


@pytest.fixture
def page(client, db):
    def post(**data):
        return client.post(URL, fields(**data))

    return post


def errors(response):
    return response.context["form"].errors


# --- The service


def test_register_creates_a_member_without_permissions(db, now):
    user = register("carol", password=PASSWORD, email="carol@example.org", now=now)
    assert (user.username, user.email) == ("carol", "carol@example.org")
    assert user.check_password(PASSWORD)
    assert not user.is_superuser
    assert not user.staff_roles.exists()


@pytest.mark.parametrize("login", ["carol", "Carol", "ＣＡＲＯＬ"])
def test_register_refuses_a_taken_login_even_when_no_form_checked(db, now, login):
    register("carol", password=PASSWORD, now=now)
    with pytest.raises(LoginTaken):
        register(login, password=PASSWORD, now=now)
    assert User.objects.count() == 1


# --- The page


def test_a_visitor_signs_up_and_is_signed_in(client, page):
    response = page()
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/accounts/profile/").status_code == 200
    assert User.objects.get().username == "carol"


def test_the_language_of_the_page_is_kept_for_mail(client, db):
    client.post(URL, fields(), headers={"Accept-Language": "ru-RU,ru;q=0.9"})
    assert User.objects.get().language == "ru"


def test_the_email_is_optional_and_kept(page):
    page(email="carol@example.org")
    assert User.objects.get().email == "carol@example.org"


def test_after_signing_up_the_person_goes_where_they_wanted(page):
    assert page(next="/accounts/profile/").url == "/accounts/profile/"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "home", "x:y", URL]
)
def test_after_signing_up_nobody_is_sent_to_another_site(page, wanted):
    assert page(next=wanted).url == "/"


def test_a_signed_in_person_needs_no_account(client, alice):
    client.force_login(alice)
    assert client.get(URL).url == "/"
    assert client.post(URL, fields()).url == "/"
    assert User.objects.count() == 1


def test_a_refused_form_keeps_what_was_typed_except_the_password(page):
    response = page(username="Carol X", email="carol@", password2="other one")
    html = response.content.decode()
    assert response.status_code == 422
    assert set(errors(response)) == {"username", "email", "password1"}
    assert 'value="Carol X"' in html
    assert 'value="carol@"' in html
    assert PASSWORD not in html


def test_errors_are_tied_to_their_fields(page):
    html = page(username="").content.decode()
    assert 'aria-describedby="id_username_helptext id_username_error"' in html
    assert 'id="id_username_error"' in html
    assert 'aria-invalid="true"' in html
    assert '<a href="#id_username">' in html


def test_a_turkish_capital_is_a_letter(page):
    assert page(username="İBRAHİM").status_code == 302
    assert User.objects.get().username == "ibrahim"
    assert set(errors(Client().post(URL, fields("ibrahim")))) == {"username"}


@pytest.mark.parametrize("login", ["alice", "ALICE", "ａｌｉｃｅ"])
def test_a_login_is_taken_in_capitals_and_in_wide_letters_too(page, alice, login):
    assert errors(page(username=login)) == {"username": ["This login is taken."]}


def test_capitals_are_known_beyond_ascii(page):
    UserFactory(username="ольга")
    assert errors(page(username="ОЛЬГА")) == {"username": ["This login is taken."]}


@pytest.mark.parametrize(
    "login",
    [
        "",
        "   ",
        "carol\x00",
        "carol dough",
        "<script>",
        "‮carol",
        "x" * 151,
        "x" * 100_000,
        "ΐ" * 151,
        "ﷺ" * 150,
    ],
)
def test_a_wrong_login_is_refused_at_its_field(page, login):
    assert set(errors(page(username=login))) == {"username"}
    assert not User.objects.exists()


def test_a_login_that_grows_when_folded_is_measured_as_stored(page):
    page(username="ß" * 75)
    assert User.objects.get().username == "s" * 150
    assert set(errors(Client().post(URL, fields("ß" * 76)))) == {"username"}


@pytest.mark.parametrize("password", ["short", "1029384756", "password", "carolcarol"])
def test_a_weak_password_is_refused(page, password):
    response = page(username="carolcarol", password1=password)
    assert set(errors(response)) == {"password1"}
    assert not User.objects.exists()


def test_a_script_may_send_the_password_twice_or_by_its_other_name(page, client):
    assert set(errors(page(password2="else where"))) == {"password1"}
    assert page(password2=PASSWORD).status_code == 302
    client.post("/accounts/logout/")
    sent = {"username": "dora", "password": PASSWORD}
    assert client.post(URL, sent).status_code == 302
    assert User.objects.get(username="dora").check_password(PASSWORD)


def test_a_password_that_resembles_the_address_is_refused(page):
    response = page(password1="carolina.berg", email="carolina.berg@example.org")
    assert set(errors(response)) == {"password1"}


def test_a_zero_byte_in_any_field_is_refused(page):
    response = page(password1="a\x00" * 9, email="a\x00@example.org")
    assert set(errors(response)) == {"password1", "email"}


def test_broken_utf8_is_refused_or_read_but_never_a_server_error(client, db):
    body = b"username=%ED%A0%80%FF&password1=%C3%28&password2=%C3%28&email=%FF"
    response = client.post(URL, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 422
    assert "username" in errors(response)


def test_an_empty_form_names_every_needed_field(client, db):
    assert set(errors(client.post(URL))) == {"username", "password1"}


def test_sign_up_needs_a_token_of_our_page(db):
    client = Client(enforce_csrf_checks=True)
    assert client.post(URL, fields()).status_code == 403


def test_other_methods_are_refused(client, db):
    assert client.put(URL).status_code == 405
    assert client.delete(URL).status_code == 405


def test_password_managers_are_helped(client, db):
    html = client.get(URL).content.decode()
    assert html.count('autocomplete="new-password"') == 1
    assert html.count('autocomplete="username"') == 1
    assert html.count('autocomplete="email"') == 1


def test_the_sign_in_link_remembers_where_the_person_wanted_to_go(client, db):
    html = client.get(URL, {"next": "/accounts/profile/"}).content.decode()
    assert f'href="{reverse("login")}?next=%2Faccounts%2Fprofile%2F"' in html


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_who_want_a_login_at_once_gets_it():
    people = 8
    start, statuses = Barrier(people), []

    def sign_up(login):
        client = Client()
        start.wait()
        statuses.append(client.post(URL, fields(login)).status_code)
        connection.close()

    threads = [Thread(target=sign_up, args=[login]) for login in ["carol", "CAROL"] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302] + [422] * (people - 1)
    assert User.objects.count() == 1


def test_a_failure_of_what_comes_with_it_is_not_blamed_on_the_login(db, now):
    def fail(user: User) -> None:
        raise IntegrityError("something else")

    with pytest.raises(IntegrityError, match="something else"):
        register("carol", password=PASSWORD, now=now, also=fail)
    assert not User.objects.exists()
