import pytest

URL = "/accounts/logout/"

pytestmark = pytest.mark.any_database


def test_a_member_signs_out(client, alice):
    client.force_login(alice)
    response = client.post(URL)
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/accounts/profile/").status_code == 302


def test_a_visitor_who_signs_out_is_sent_home(client, db):
    assert client.post(URL).url == "/"


def test_a_link_signs_nobody_out(client, alice):
    client.force_login(alice)
    assert client.get(URL).status_code == 405
    assert client.get("/accounts/profile/").status_code == 200


def test_the_browser_forgets_the_pages_it_kept(client, alice):
    client.force_login(alice)
    assert client.post(URL)["Clear-Site-Data"] == '"cache", "storage"'
