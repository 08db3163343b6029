import pytest

pytestmark = pytest.mark.any_database

URL = "/accounts/language/"
LOGIN = "/accounts/login/"


def language_of(page):
    return page.headers["Content-Language"]


def test_a_visitor_gets_what_the_browser_asks_for(client, db):
    assert language_of(client.get(LOGIN)) == "en"
    assert language_of(client.get(LOGIN, headers={"accept-language": "ru, en;q=0.5"})) == "ru"
    assert language_of(client.get(LOGIN, headers={"accept-language": "xx"})) == "en"


def test_caches_are_told_what_a_page_depends_on(client, db):
    vary = {name.strip() for name in client.get(LOGIN).headers["Vary"].split(",")}
    assert {"Accept-Language", "Cookie"} <= vary


def test_a_visitor_chooses_a_language(client, db):
    response = client.post(URL, {"language": "ru", "next": LOGIN})
    assert (response.status_code, response.url) == (302, LOGIN)
    assert language_of(client.get(LOGIN)) == "ru"


def test_a_members_choice_is_stored_in_the_profile(client, alice):
    client.force_login(alice)
    client.post(URL, {"language": "ru"})
    alice.refresh_from_db()
    assert alice.language == "ru"


def test_the_profile_wins_over_cookie_and_browser(client, alice):
    alice.language = "ru"
    alice.save()
    client.force_login(alice)
    client.cookies["django_language"] = "en"
    page = client.get("/accounts/profile/", headers={"accept-language": "en"})
    assert language_of(page) == "ru"


def test_without_a_choice_in_the_profile_the_browser_decides(client, alice):
    client.force_login(alice)
    page = client.get("/accounts/profile/", headers={"accept-language": "ru"})
    assert language_of(page) == "ru"


def test_the_language_of_one_request_does_not_leak_into_the_next(client, alice):
    alice.language = "ru"
    alice.save()
    client.force_login(alice)
    client.get("/accounts/profile/")
    client.logout()
    assert language_of(client.get(LOGIN)) == "en"


@pytest.mark.parametrize("wanted", ["", "https://evil.example/", "//evil.example", "home", URL])
def test_choosing_a_language_sends_nobody_to_another_site(client, db, wanted):
    assert client.post(URL, {"language": "ru", "next": wanted}).url == "/"


@pytest.mark.parametrize("code", ["", "de", "ru\x00", "<b>", "x" * 10_000, "../ru"])
def test_an_unknown_language_is_refused(client, alice, code):
    client.force_login(alice)
    assert client.post(URL, {"language": code}).status_code == 400
    alice.refresh_from_db()
    assert alice.language == ""


def test_a_link_changes_no_language(client, db):
    assert client.get(URL, {"language": "ru"}).status_code == 405
