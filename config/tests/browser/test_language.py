"""The language switch: on every page, without losing one's place."""

import pytest
from playwright.sync_api import expect

from config.tests.browser.person import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def switch_to(someone, language):
    someone.press(f".languages [value={language}]")
    expect_language(someone, language)


def expect_language(someone, language):
    expect(someone.page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_visitors_stay_where_they_are(person, space, soon, device):
    visitor = person(device)
    visitor.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00&party=1")
    expect_language(visitor, "en")
    before = visitor.query
    switch_to(visitor, "ru")
    expect(visitor.page.locator("#found")).to_contain_text("Свободно 10:00–12:00")
    assert (visitor.path, visitor.query) == (space.get_absolute_url(), before)
    visitor.follow("/accounts/login/")
    expect_language(visitor, "ru")
    switch_to(visitor, "en")


def test_a_search_answered_in_place_stays(person, space, soon):
    visitor = person()
    visitor.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00")
    visitor.page.locator("#id_to").select_option("14:00")
    expect(visitor.page.locator("#found")).to_contain_text("10:00–14:00")
    switch_to(visitor, "ru")
    expect(visitor.page.locator("#found")).to_contain_text("10:00–14:00")


def test_a_members_language_applies_on_every_device(person, alice):
    one, other = person(language="en"), person(PHONE, language="en")
    for device in (one, other):
        device.sign_in(alice)
    one.open("/bookings/")
    switch_to(one, "ru")
    other.open("/bookings/")
    expect_language(other, "ru")
