"""The page where members choose which mail they get."""

import pytest

from accounts.services import change
from notifications.preferences import choose_reminders, wants_reminders

URL = "/accounts/notifications/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, anna):
    client.force_login(anna)
    return client


def test_members_are_reminded_by_default(page, anna):
    assert wants_reminders(anna)
    assert "checked" in page.get(URL).text


def test_a_member_switches_reminders_off_and_on(page, anna):
    response = page.post(URL, {})
    assert (response.status_code, response.url) == (302, URL)
    assert not wants_reminders(anna)
    shown = page.get(URL)
    assert "Saved." in shown.text
    assert "checked" not in shown.text
    page.post(URL, {"reminders": "on"})
    assert wants_reminders(anna)


def test_it_changes_only_your_own_choice(page, anna, rita):
    page.post(URL, {"user": rita.pk})
    assert wants_reminders(rita)


def test_the_address_is_shown_with_a_link_to_change_it(page, anna):
    shown = page.get(URL).text
    assert "Mesto writes to anna@example.org when" in shown
    assert 'href="/accounts/profile/"' in shown


def test_a_member_without_an_address_is_told_so(page, anna):
    change(anna, email="")
    shown = page.get(URL).text
    assert "Your profile has no e-mail address" in shown
    assert "Mesto writes to" not in shown


def test_the_profile_links_here(page):
    assert f'href="{URL}"' in page.get("/accounts/profile/").text


def test_html_in_an_address_stays_text(page, anna):
    change(anna, email='"<b>"@example.org')
    assert "<b>" not in page.get(URL).text


def test_in_russian(page, anna):
    change(anna, language="ru")
    assert "Напоминать мне о бронях письмом" in page.get(URL).text


def test_visitors_sign_in_first(client):
    assert client.get(URL).url == f"/accounts/login/?next={URL}"


def test_just_viewing_the_page_keeps_the_choice(page, anna):
    choose_reminders(anna, wanted=False)
    page.get(URL)
    page.head(URL)
    assert not wants_reminders(anna)


def test_a_wrong_method(page):
    assert page.put(URL).status_code == 405
