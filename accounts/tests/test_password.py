import pytest
from django.test import Client

from accounts.factories import PASSWORD

pytestmark = pytest.mark.any_database

URL = "/accounts/password/"
NEW = "staple of the other horse"


@pytest.fixture
def change(client, alice):
    client.force_login(alice)

    def post(old=PASSWORD, new=NEW, again=NEW):
        data = {"old_password": old, "new_password1": new, "new_password2": again}
        return client.post(URL, data)

    return post


def test_a_member_changes_their_password_and_stays_signed_in(client, change, alice):
    response = change()
    assert (response.status_code, response.url) == (302, "/accounts/profile/")
    assert client.get("/accounts/profile/").status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_other_devices_are_signed_out(change, alice):
    other = Client()
    other.force_login(alice)
    change()
    assert other.get("/accounts/profile/").status_code == 302


def test_the_old_password_is_needed(change, alice):
    response = change(old="wrong")
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"old_password"}
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("new", "again"), [("short", "short"), (NEW, "another"), ("12345678", "12345678"), ("", "")]
)
def test_a_weak_or_mistyped_new_password_is_refused(change, alice, new, again):
    response = change(new=new, again=again)
    assert response.status_code == 422
    assert "new_password1" in response.context["form"].errors
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_visitor_is_asked_to_sign_in(client, db):
    assert client.get(URL).url == "/accounts/login/?next=/accounts/password/"


def test_other_methods_are_refused(client, alice):
    client.force_login(alice)
    assert client.put(URL).status_code == 405


def test_password_managers_are_helped(client, alice):
    client.force_login(alice)
    html = client.get(URL).content.decode()
    assert html.count('autocomplete="current-password"') == 1
    assert html.count('autocomplete="new-password"') == 1
    assert 'value="alice" autocomplete="username"' in html
