"""A member says how many and when; the house chooses the table. On a phone too, in both languages.

Long names of areas and shifts fit. See also `bookings.tests.test_party`.
"""

import re
from datetime import time

import pytest

from bookings.models import Booking
from config.tests.browser.inspection import NARROW, NARROWEST, WIDE, misfits, violations
from config.tests.browser.person import DESKTOP
from spaces.factories import PlaceFactory, PolicyFactory, ShiftFactory, TurnTimeFactory, open_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AREA = "Ненасыщающийсядлинношеее" + "терраса" * 2


@pytest.fixture
def inn(db):
    space = open_space(slug="inn", name="Inn", kind="RESTAURANT", places=0)
    PolicyFactory.create(space=space, step_minutes=15)
    for number, capacity in ((1, 2), (2, 4), (3, 8)):
        PlaceFactory.create(
            space=space, number=number, kind="TABLE", capacity=capacity, area=AREA[:40]
        )
    TurnTimeFactory.create(space=space, from_party=1, minutes=90)
    ShiftFactory.create(
        space=space,
        name="Ужин" * 10,
        first_seating=time(10),
        last_seating=time(20),
        covers_online=4,
    )
    return space


def wrong(page):
    return [
        *misfits(page, WIDE),
        *violations(page, WIDE, "light"),
        *violations(page, NARROW, "dark"),
        *misfits(page, NARROWEST),
    ]


@pytest.mark.parametrize(("language", "press"), [("en", "Book "), ("ru", "Забронировать ")])
def test_a_party_gets_a_table_with_one_press(person, inn, alice, soon, language, press):
    member = person(DESKTOP, language)
    member.sign_in(alice)
    page = member.page
    member.open(f"/spaces/inn/?date={soon.date()}&from=10:00&party=3")
    assert wrong(page) == []
    page.set_viewport_size(WIDE)
    page.get_by_role("button", name=press).first.press("Enter")
    page.wait_for_url(re.compile("/bookings/[^/]+/"))
    assert Booking.objects.get().place.number == 2
    member.open(f"/spaces/inn/?date={soon.date()}&from=10:00&party=3")  # one more may arrive, not 3
    assert wrong(page) == []
