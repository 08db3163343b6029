"""What a member reads in a browser: whose clock shows a time, and the year where it matters."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from bookings.tests.acts import book, hours
from config.tests.browser.person import DESKTOP, PHONE
from spaces.factories import PolicyFactory, open_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ZONES = {"en": ("Moscow time", "Yerevan time"), "ru": ("московское время", "ереванское время")}


@pytest.fixture
def far(soon):
    """An instant in the year after next: nobody could guess that year."""
    return soon + timedelta(days=700)


@pytest.fixture
def bookings(alice, soon, far):
    """One in Moscow soon, one in Yerevan in two years."""
    moscow = open_space(slug="moscow", name="Moscow", time_zone="Europe/Moscow")
    yerevan = open_space(slug="yerevan", name="Yerevan", time_zone="Asia/Yerevan")
    PolicyFactory.create(space=yerevan, max_days_ahead=1000)
    return [
        book(moscow.places.get(number=1), alice, soon - hours(24), soon),
        book(yerevan.places.get(number=1), alice, soon - hours(24), far),
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_member_reads_the_zone_and_the_year(person, alice, bookings, far, device, language):
    alice.language = language
    alice.save()
    member = person(device, language)
    member.sign_in(alice)
    year = str(far.year)
    for path in ("/bookings/", "/bookings/history/"):
        member.open(path)
        main = member.page.locator("main")
        for zone in ZONES[language]:
            expect(main.get_by_text(zone).locator("visible=true").first).to_be_in_viewport()
        expect(main.get_by_text(year).locator("visible=true").first).to_be_in_viewport()
    member.open(bookings[1].get_absolute_url())
    expect(member.page.locator("main")).to_contain_text(year)
    expect(member.page.locator("main")).to_contain_text(ZONES[language][1])
    member.open(f"/spaces/yerevan/?date={far:%Y-%m-%d}&from=10:00&to=12:00")
    expect(main.get_by_role("heading").filter(has_text=year).first).to_be_visible()
