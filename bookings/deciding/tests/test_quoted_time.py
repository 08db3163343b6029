"""The quoted time against an evening reckoned by hand, with two turn times."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.factories import UserFactory
from bookings.deciding import visits, waiting_list
from bookings.finding import at_the_door
from bookings.tests.door import add
from spaces import setups
from spaces.factories import TurnTimeFactory, open_space

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOW = NOON + 7 * MINUTE

#: When those who sit there leave, by table; from 12:07 on that is rounded up to 5 minutes.
FREE_AT = (30, 45, 75)


def test_everybody_gets_the_table_that_is_free_first_for_as_long_as_they_stay(db):
    boss = UserFactory.create(username="boss", is_superuser=True)
    table = {"kind": "TABLE", "capacity": 4}
    inn = open_space(slug="inn", kind="RESTAURANT", time_zone="UTC", place=table)
    for from_party, minutes in ((1, 60), (3, 90)):
        TurnTimeFactory.create(space=inn, from_party=from_party, minutes=minutes)
    for n, place in enumerate(inn.places.by_number()):
        ends_at = NOON + (FREE_AT[n] if n < len(FREE_AT) else 8 * 60) * MINUTE
        visits.walk_in(place, party_size=2, ends_at=ends_at, by=boss, now=NOON)
    setup, parties = setups.current(inn.pk), {}
    for name, people, minutes in (
        ("Anna", 2, 25),  # 12:30 at the first table, until 13:30
        ("Boris", 4, 40),  # 12:45 at the second, until 14:15
        ("Clara", 2, 70),  # 13:15 at the third, until 14:15
        ("Dora", 2, 85),  # 13:30 at the first, after Anna, until 14:30
        ("Emil", 4, 130),  # 14:15 at the second, after Boris
    ):
        assert at_the_door.quoted(setup, people, "", now=NOW) == minutes, name
        parties[name] = add(inn, name, party_size=people, by=boss, now=NOW)
        assert at_the_door.left_to_wait(parties[name], setup, now=NOW) == minutes, name
    waiting_list.leave(parties["Boris"], by=boss, now=NOW)
    left = [at_the_door.left_to_wait(parties[name], setup, now=NOW) for name in ("Clara", "Dora")]
    assert left == [40, 70]  # 12:45 at the second, 13:15 at the third
