"""Spaces in several zones: times name the zone where it isn't obvious, sorted as shown."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.factories import StaffRoleFactory
from accounts.models import User
from bookings.tests.acts import book, hours
from bookings.words.zones import Zones
from spaces.factories import ClosureFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MOSCOW, AUCKLAND = "Europe/Moscow", "Pacific/Auckland"


@pytest.fixture
def north():
    return open_space(slug="north", name="North", time_zone=MOSCOW)


@pytest.fixture
def south():
    return open_space(slug="south", name="South", time_zone=AUCKLAND)


def at(space, days, hour):
    """Return an instant by a space's clock, some days from today there."""
    day = datetime.now(space.zone).replace(minute=0, second=0, microsecond=0)
    return (day + timedelta(days=days)).replace(hour=hour).astimezone(ZoneInfo("UTC"))


@pytest.fixture
def jumbled(north, south, alice):
    """Bookings whose clock order contradicts their instants: 9:00 in Auckland is 0:00 in Moscow."""
    made = []
    for space, hour in ((north, 9), (south, 12), (north, 15), (south, 18)):
        start = at(north, 40, 12)
        start = datetime.combine(
            start.astimezone(ZoneInfo(MOSCOW)).date(), start.time(), space.zone
        ).replace(hour=hour)
        place = space.places.get(number=len(made) // 2 + 1)
        made.append(book(place, alice, start - timedelta(days=20), start))
    return made


def wall(booking):
    return booking.starts_at.astimezone(booking.place.space.zone).replace(tzinfo=None)


class TestMixed:
    def test_upcoming_bookings_name_their_zones_and_are_sorted_by_clock(
        self, client, alice, jumbled
    ):
        client.force_login(alice)
        answer = client.get("/bookings/")
        listed = [booking for _day, group in answer.context["days"] for booking in group]
        assert [b.pk for b in listed] == [b.pk for b in sorted(jumbled, key=wall)]
        assert len(answer.context["days"]) == 1
        assert (answer.text.count("Moscow time"), answer.text.count("Auckland time")) == (2, 2)

    @pytest.mark.parametrize("query", ["", "?state=CONFIRMED"])
    def test_the_history_too(self, client, alice, jumbled, query):
        client.force_login(alice)
        answer = client.get(f"/bookings/history/{query}")
        expected = sorted(jumbled, key=wall, reverse=True)
        assert [b.pk for b in answer.context["page"].bookings] == [b.pk for b in expected]
        assert (answer.text.count("Moscow time"), answer.text.count("Auckland time")) == (2, 2)

    def test_the_history_names_the_zones_on_a_page_that_shows_one(self, client, alice, jumbled):
        client.force_login(alice)
        assert "Moscow time" in client.get("/bookings/history/?space=north").text

    def test_home_names_them(self, client, north, south):
        text = client.get("/").text
        assert "Moscow time" in text
        assert "Auckland time" in text

    def test_home_names_the_zone_of_the_next_booking(self, client, alice, north, south, soon):
        book(north.places.get(number=1), alice, soon - hours(24), soon)
        client.force_login(alice)
        strip = client.get("/").text.partition('class="next card"')[2].partition("</section>")[0]
        assert "Moscow time" in strip

    def test_in_russian_too(self, client, alice, jumbled):
        alice.language = "ru"
        alice.save()
        client.force_login(alice)
        for path in ("/", "/bookings/", "/bookings/history/"):
            text = client.get(path).text
            assert "московское время" in text
            assert "местное время, Окленд" in text

    @pytest.mark.parametrize("descending", [False, True])
    def test_the_staffs_lists_are_sorted_by_clock(self, client, admin_user, jumbled, descending):
        client.force_login(admin_user)
        day = jumbled[0].starts_at.astimezone(ZoneInfo(MOSCOW)).date()
        answer = client.get("/admin/bookings/booking/", {} if descending else {"day": str(day)})
        expected = sorted(jumbled, key=wall, reverse=descending)
        assert [b.pk for b in answer.context["cl"].result_list] == [b.pk for b in expected]
        cells = re.findall(r'class="field-time">([^<]*)<', answer.text)
        zones = [b.place.space.time_zone for b in expected]
        named = {MOSCOW: "(Moscow time)", AUCKLAND: "(Auckland time)"}
        assert [cell.partition(" ")[2] for cell in cells] == [named[zone] for zone in zones]

    def test_sorting_by_the_day_column_uses_the_clock_too(self, client, admin_user, jumbled):
        client.force_login(admin_user)
        answer = client.get("/admin/bookings/booking/?o=2")
        expected = [b.pk for b in sorted(jumbled, key=wall)]
        assert [b.pk for b in answer.context["cl"].result_list] == expected

    def test_closures_are_named(self, client, admin_user, north, south):
        for space in (north, south):
            start = at(space, 3, 10)
            ClosureFactory.create(space=space, starts_at=start, reason="Repairs")
        client.force_login(admin_user)
        text = client.get("/admin/spaces/closure/").text
        assert text.count("(Moscow time)") == text.count("(Auckland time)") == 1

    def test_what_is_to_be_cancelled_is_named(self, client, admin_user, jumbled):
        client.force_login(admin_user)
        codes = ",".join(str(b.code) for b in jumbled)
        text = client.get("/admin/bookings/booking/cancel/", {"codes": codes}).text
        assert text.count("(Moscow time)") == text.count("(Auckland time)") == 2


class TestOne:
    def test_it_is_said_once_to_readers_who_chose_none(self, client, alice, north):
        start = at(north, 3, 10)
        book(north.places.get(number=1), alice, start - hours(48), start)
        client.force_login(alice)
        for path in ("/", "/bookings/", "/bookings/history/"):
            assert client.get(path).text.count("Moscow time") == 1

    def test_a_reader_elsewhere_sees_it_at_each_time(self, client, alice, north):
        User.objects.update(time_zone="Asia/Yerevan")
        start = at(north, 3, 10)
        made = book(north.places.get(number=1), alice, start - hours(48), start)
        client.force_login(alice)
        for path in ("/", "/bookings/", "/bookings/history/", made.get_absolute_url()):
            text = client.get(path).text.partition("<footer")[0]
            assert "Moscow time" in text

    def test_a_reader_at_home_needs_no_note(self, client, alice, north):
        User.objects.update(time_zone=MOSCOW)
        start = at(north, 3, 10)
        made = book(north.places.get(number=1), alice, start - hours(48), start)
        client.force_login(alice)
        for path in ("/", "/bookings/", "/bookings/history/", made.get_absolute_url()):
            assert "Moscow time" not in client.get(path).text.partition("<footer")[0]

    def test_staff_of_one_space_need_no_note_unless_they_are_elsewhere(self, client, alice, north):
        host = StaffRoleFactory.create(space=north).user
        start = at(north, 3, 10)
        book(north.places.get(number=1), alice, start - hours(48), start)
        client.force_login(host)
        assert "Moscow time" not in client.get("/admin/bookings/booking/").text
        host.time_zone = AUCKLAND
        host.save()
        assert "10:00–12:00 (Moscow time)" in client.get("/admin/bookings/booking/").text


def test_nobodys_zones_are_named_nowhere():
    assert not Zones(frozenset()).are_named
    assert Zones(frozenset()).common == ""
