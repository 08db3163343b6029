"""From the link in the terminal to an open venue and its rules."""

import re

import pytest
from django.utils import timezone, translation
from playwright.sync_api import expect

from accounts import invitations
from accounts.models import User
from config.tests.browser.inspection import misfits, violations
from config.tests.browser.person import DESKTOP, PHONE, SOMEWHERE
from spaces.models import Policy, Space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: The Unicode data that browsers use keeps old names of zones.
OR_AS_CHROMIUM_SAYS = re.compile("Asia/Kath?mandu")


@pytest.mark.parametrize(
    ("device", "language", "scripts", "scheme"),
    [
        pytest.param(PHONE, "ru", True, "dark", id="phone, Russian, dark"),
        pytest.param(DESKTOP, "en", True, "light", id="desktop, English, light"),
        pytest.param(PHONE, "en", False, "light", id="phone without scripts"),
    ],
)
def test_from_nothing_to_an_open_venue(person, device, language, scripts, scheme):
    with translation.override(language):
        key = invitations.of_owner(now=timezone.now())
    owner = person(device, language, scripts=scripts)
    wrong = {}

    def look(name):
        owner.page.wait_for_load_state()
        size = device["viewport"]
        if scripts and (
            found := [*misfits(owner.page, size), *violations(owner.page, size, scheme)]
        ):
            wrong[name] = found

    owner.open(f"/join/{key}/")
    look("join")
    owner.fill(username="olga", password1="a lamp beside the window")
    owner.send()
    owner.expect_path("/staff/setup/$")
    look("set up")
    zone = owner.see("#id_time_zone")
    if scripts:
        expect(zone).to_have_value(OR_AS_CHROMIUM_SAYS)
        expect(owner.see("#id_country")).to_have_value("NP")
    else:
        zone.select_option(SOMEWHERE)
    owner.fill(name="Кафе «Ёлка»", tables="10 × 2, 6 x 4", opens="12:00", closes="25:00")
    owner.page.check("input[value=RESTAURANT]")
    owner.submit("main form")
    expect(owner.see("#id_closes")).to_have_value("25:00")
    expect(owner.see("#id_tables")).to_have_value("10 × 2, 6 x 4")
    look("set up, after a mistake")
    owner.fill(closes="15:00", opens_again="19:00", closes_again="0:30", hosts="hanna@example.org")
    owner.send("main form")
    owner.expect_path("/staff/kafe-elka/$")
    space = Space.objects.get()
    assert OR_AS_CHROMIUM_SAYS.fullmatch(space.time_zone)
    assert (space.country, space.places.count()) == ("NP", 16)
    owner.open("/staff/kafe-elka/rules/0/")
    owner.fill(max_minutes="4 h", max_days_ahead="30")
    owner.submit("main form")
    look("whom it hits")
    owner.submit("main form")
    owner.expect_path("/staff/kafe-elka/rules/$")
    assert Policy.objects.filter(max_minutes=240, max_days_ahead=30).count() == 1
    assert User.objects.count() == 1
    assert wrong == {}
