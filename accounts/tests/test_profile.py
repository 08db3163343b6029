import pytest

from accounts.models import User

pytestmark = pytest.mark.any_database

URL = "/accounts/profile/"


@pytest.fixture
def page(client, alice):
    client.force_login(alice)

    def post(**data):
        return client.post(URL, {"theme": "SYSTEM", **data})

    return post


def test_a_member_changes_their_profile(page, alice):
    response = page(name="Алиса", language="ru", time_zone="Asia/Kathmandu", theme="DARK")
    assert (response.status_code, response.url) == (302, URL)
    alice.refresh_from_db()
    assert (alice.name, alice.language) == ("Алиса", "ru")
    assert (alice.time_zone, alice.theme) == ("Asia/Kathmandu", "DARK")


def test_everything_but_the_appearance_may_be_empty(page, alice):
    page(name="Alice")
    page()
    alice.refresh_from_db()
    assert (alice.name, alice.language, alice.time_zone) == ("", "", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 151),
        ("name", "a\x00"),
        ("language", "de"),
        ("time_zone", "Mars/Olympus_Mons"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "localtime"),
        ("theme", "PINK"),
        ("theme", ""),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(page, alice, field, value):
    response = page(**{"name": "Alice", field: value})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}
    alice.refresh_from_db()
    assert alice.name == ""


def test_html_in_a_name_stays_text(page, client):
    page(name="<script>alert(1)</script>")
    html = client.get(URL).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize(
    "field", ["username", "is_superuser", "is_staff", "is_active", "password", "email"]
)
def test_nothing_else_can_be_changed_through_the_form(page, alice, field):
    before = User.objects.values().get(pk=alice.pk)
    page(**{field: "1"})
    assert User.objects.values().get(pk=alice.pk) == {**before}


def test_a_visitor_is_asked_to_sign_in(client, db):
    assert client.get(URL).url == "/accounts/login/?next=/accounts/profile/"
    assert client.post(URL).url == "/accounts/login/?next=/accounts/profile/"


def test_other_methods_are_refused(client, alice):
    client.force_login(alice)
    assert client.put(URL).status_code == 405


def test_the_page_leads_to_the_password_and_to_leaving(client, alice):
    client.force_login(alice)
    html = client.get(URL).content.decode()
    assert 'href="/accounts/password/"' in html
    assert 'href="/accounts/delete/"' in html
