"""`GET /spaces` and a single space, as any program sees them."""

from base64 import urlsafe_b64encode
from datetime import time

import pytest
from django.contrib.auth.models import Group

from bookings.tests.programs import fields, kind, program
from spaces.factories import OpeningHoursFactory, PlaceFactory, PolicyFactory, open_space
from spaces.models import Place

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def anyone():
    return program(None)


def listed(asking, limit):
    found, cursor = [], ""
    while cursor is not None:
        page = asking.get("/spaces", {"cursor": cursor, "limit": limit}).json()
        found += [item["slug"] for item in page["items"]]
        cursor = page["next_cursor"]
    return found


def forged(*parts):
    return urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


class TestList:
    def test_what_is_shown_of_a_space(self, anyone):
        open_space(slug="loft", name="Loft", address="Main street 1", time_zone="Europe/Moscow")
        assert anyone.get("/spaces").json() == {
            "items": [
                {
                    "slug": "loft",
                    "name": "Loft",
                    "kind": "COWORKING",
                    "time_zone": "Europe/Moscow",
                    "address": "Main street 1",
                }
            ],
            "next_cursor": None,
        }

    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 100])
    def test_all_of_them_once_by_slug(self, anyone, limit):
        for slug in ["c", "a", "hidden", "e", "b", "d"]:
            open_space(slug=slug, is_active=slug != "hidden", places=0)
        assert listed(anyone, limit) == ["a", "b", "c", "d", "e"]

    def test_a_space_that_appears_or_disappears_between_pages_shifts_nothing(self, anyone):
        spaces = [open_space(slug=slug, places=0) for slug in ["b", "d", "f"]]
        first = anyone.get("/spaces", {"limit": 2}).json()
        open_space(slug="a", places=0)
        spaces[1].delete()
        rest = anyone.get("/spaces", {"limit": 2, "cursor": first["next_cursor"]}).json()
        assert [item["slug"] for item in rest["items"]] == ["f"]

    @pytest.mark.parametrize(
        "cursor",
        [
            *["x", "%", "\x00", "é", "====", "A" * 300],
            *[forged("a"), forged("slug", "a\x00"), forged("slug", "a", "b"), forged("slug", "")],
            forged("-created_at", "a", "b"),
        ],
    )
    def test_a_cursor_from_elsewhere_is_refused(self, anyone, space, cursor):
        answer = anyone.get("/spaces", {"cursor": cursor})
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["query.cursor"])

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "x"])
    def test_a_limit_is_one_to_a_hundred(self, anyone, limit):
        assert fields(anyone.get("/spaces", {"limit": limit})) == ["query.limit"]

    @pytest.mark.parametrize("count", [1, 30])
    def test_a_page_costs_one_query(self, anyone, count, django_assert_num_queries):
        for _ in range(count):
            open_space(places=0)
        with django_assert_num_queries(1):
            assert len(anyone.get("/spaces").json()["items"]) == count


class TestOne:
    def test_hours_rules_and_places(self, anyone):
        space = open_space(slug="loft", name="Loft", about="Quiet.", places=0)
        OpeningHoursFactory.create(space=space, weekday=4, opens_at=time(23), closes_at=time(2))
        PlaceFactory.create(space=space, number=2, name="By the window", features=["monitor"])
        PlaceFactory.create(space=space, number=1, kind=Place.Kind.ROOM, capacity=6)
        PlaceFactory.create(space=space, number=3, is_bookable=False, kind=Place.Kind.TABLE)
        PolicyFactory.create(
            space=space,
            step_minutes=30,
            min_minutes=45,
            max_minutes=200,
            min_notice_minutes=15,
            release_after_minutes=20,
        )
        PolicyFactory.create(
            space=space, kind="ROOM", check_in_opens_minutes=10, max_no_shows=3, no_show_days=30
        )
        PolicyFactory.create(
            space=space,
            kind="ROOM",
            max_days_ahead=7,
            cancel_deadline_minutes=90,
            max_upcoming=2,
            max_minutes_per_day=120,
        )
        shown = anyone.get("/spaces/loft").json()
        assert shown["about"] == "Quiet."
        assert [
            (row["weekday"], row["opens_at"], row["closes_at"]) for row in shown["opening_hours"]
        ] == [
            *((day, "08:00:00", "22:00:00") for day in range(5)),
            (4, "23:00:00", "02:00:00"),
            *((day, "08:00:00", "22:00:00") for day in (5, 6)),
        ]
        desks = {
            "kind": "DESK",
            "step_minutes": 30,
            "min_minutes": 60,
            "max_minutes": 180,
            "min_notice_minutes": 15,
            "max_days_ahead": 90,
            "cancel_deadline_minutes": 0,
            "grace_minutes": 5,
            "max_upcoming": None,
            "max_minutes_per_day": None,
            "check_in_opens_minutes": 15,
            "release_after_minutes": 20,
            "max_no_shows": [],
        }
        strikes = [{"no_shows": 3, "days": 30}]
        rooms = {
            "max_no_shows": strikes,
            "check_in_opens_minutes": 10,
            "max_days_ahead": 7,
            "cancel_deadline_minutes": 90,
            "max_upcoming": 2,
            "max_minutes_per_day": 120,
        }
        assert shown["rules"] == [desks, {**desks, "kind": "ROOM", **rooms}]
        places = [
            (place["name"], place["capacity"], place["features"]) for place in shown["places"]
        ]
        assert places == [("Room 1", 6, []), ("By the window", 1, ["monitor"])]

    def test_a_group_has_its_own_rules(self, anyone, alice, space):
        group = Group.objects.create(name="residents")
        alice.groups.add(group)
        PolicyFactory.create(space=space, group=group, max_upcoming=7)
        [common], [hers] = (
            asking.get("/spaces/loft").json()["rules"] for asking in (anyone, program(alice))
        )
        assert (common["max_upcoming"], hers["max_upcoming"]) == (None, 7)

    @pytest.mark.parametrize("slug", ["nowhere", "hidden", "LOFT", "%00", "%ff", "..", "a" * 300])
    def test_a_hidden_space_is_not_found(self, anyone, space, slug):
        open_space(slug="hidden", is_active=False)
        assert kind(anyone.get(f"/spaces/{slug}")) == (404, "not_found")

    def test_a_space_without_hours_or_places(self, anyone):
        space = open_space(slug="empty", places=0)
        space.opening_hours.all().delete()
        shown = anyone.get("/spaces/empty").json()
        assert (shown["opening_hours"], shown["rules"], shown["places"]) == ([], [], [])

    @pytest.mark.parametrize("count", [1, 100])
    def test_it_costs_two_queries(self, anyone, count, django_assert_num_queries):
        open_space(slug="big", places=count)
        with django_assert_num_queries(2):
            assert len(anyone.get("/spaces/big").json()["places"]) == count
