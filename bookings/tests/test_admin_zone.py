"""Changing a space's time zone: do bookings keep the time on the clock, or their moment?"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.factories import StaffRoleFactory
from bookings.deciding.clocks import same_wall
from bookings.deciding.invariants import violations
from bookings.deciding.rules import Problem
from bookings.tests.acts import book, hours, local
from bookings.tests.asked import asked
from config.tests.clock import Clock
from spaces.factories import ClosureFactory, PolicyFactory, open_space
from spaces.slots import Period
from spaces.tests.staff import filled_in, page, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
WALL = {"bookings-clock": "wall"}
INSTANT = {"bookings-clock": "instant"}
KEEP = {"bookings-choice": "keep"}
CANCEL = {"bookings-choice": "cancel", "bookings-reason": "We moved"}


@pytest.fixture(autouse=True)
def march(monkeypatch):
    Clock(NOW).stop(monkeypatch)


@pytest.fixture
def loft(db):
    """A space in Berlin that is open around the clock."""
    return open_space(
        slug="loft", name="Loft", time_zone="Europe/Berlin", opens_at=time(0), closes_at=time(0)
    )


@pytest.fixture
def clerk(client, loft):
    sign_in(client, StaffRoleFactory(space=loft, role="MANAGER", user__username="marat").user)
    return client


@pytest.fixture
def lunch(loft, alice):
    """Alice's, Wednesday from 13 to 14 in Berlin."""
    desk = loft.places.get(number=1)
    return book(desk, alice, NOW, local(loft, "2027-03-03T13:00"), 1)


def move_to(client, space, zone, *answers, **changes):
    """Change the zone, and answer each question in turn; return the last answer."""
    fields = filled_in(client, page(space)) | {"is_active": "on", "time_zone": zone} | changes
    answer = client.post(page(space), fields)
    for told in answers:
        answer = reply(client, space, answer, told)
    return answer


def reply(client, space, answer, told):
    """Answer the question that a page asks."""
    return client.post(page(space), asked(answer) | told)


def on_the_clock(booking, zone):
    booking.refresh_from_db()
    ends = (booking.starts_at.astimezone(zone), booking.ends_at.astimezone(zone))
    return tuple(f"{at:%d %H:%M}" for at in ends)


def told(booking):
    """Return what happened after it was booked."""
    events = booking.events.filter(sequence__gt=1).order_by("sequence")
    return [(event.kind, event.data["problems"]) for event in events]


def nothing_is_wrong():
    return list(violations(now=NOW)) == []


def test_it_is_asked_what_the_bookings_keep(clerk, loft, lunch):
    answer = move_to(clerk, loft, "America/New_York")
    assert answer.status_code == 409
    assert "Wed 3 Mar 2027, 13:00–14:00, alice" in answer.text
    assert "the clock will show: Wed 3 Mar 2027, 7:00–8:00" in answer.text
    assert told(lunch) == []
    loft.refresh_from_db()
    assert loft.time_zone == "Europe/Berlin"


def test_the_time_on_the_clock_is_kept(clerk, loft, lunch, alice, client):
    answer = move_to(clerk, loft, "America/New_York", WALL)
    assert answer.status_code == 302
    assert on_the_clock(lunch, NEW_YORK) == ("03 13:00", "03 14:00")
    assert told(lunch) == [("MOVED", ["zone_moved"])]
    assert nothing_is_wrong()
    client.force_login(alice)
    text = client.get(lunch.get_absolute_url()).text
    assert "13:00–14:00" in text
    assert "The space’s time zone has changed." in text
    assert "before:" not in text


def test_the_moment_is_kept(clerk, loft, lunch):
    answer = move_to(clerk, loft, "America/New_York", INSTANT)
    assert answer.status_code == 302
    assert on_the_clock(lunch, NEW_YORK) == ("03 07:00", "03 08:00")
    assert told(lunch) == [("KEPT", ["zone_moved"])]
    assert nothing_is_wrong()


def test_zones_whose_clocks_agree_ask_nothing(clerk, loft, lunch):
    assert move_to(clerk, loft, "Europe/Paris").status_code == 302
    assert told(lunch) == []


def test_a_moment_outside_the_new_hours_is_asked_about(clerk, loft, lunch):
    loft.opening_hours.update(opens_at=time(9), closes_at=time(20))
    answer = move_to(clerk, loft, "America/New_York", INSTANT)
    assert answer.status_code == 409
    assert "Not open for all of that time" in answer.text
    assert reply(clerk, loft, answer, CANCEL).status_code == 302
    assert told(lunch) == [("CANCELLED", [])]


def test_going_back_forgets_the_answer(clerk, loft, lunch):
    answer = move_to(clerk, loft, "America/New_York", {"bookings-choice": "back"})
    assert answer.status_code == 200
    assert answer.context["adminform"].form["time_zone"].value() == "America/New_York"
    loft.refresh_from_db()
    assert loft.time_zone == "Europe/Berlin"


def test_bookings_that_follow_each_other_are_moved_together(clerk, loft, alice):
    """Each wants the slots that the next one still has."""
    desk = loft.places.get(number=1)
    start = local(loft, "2027-03-03T10:00")
    row = [book(desk, alice, NOW, start + hours(n), 1) for n in range(6)]
    assert move_to(clerk, loft, "Europe/London", WALL).status_code == 302
    london = ZoneInfo("Europe/London")
    assert [on_the_clock(each, london)[0] for each in row] == [f"03 {h}:00" for h in range(10, 16)]
    assert nothing_is_wrong()


class TestSkippedAndRepeatedHours:
    """New York puts its clocks forward on 14 March at 2:00, Berlin two weeks later."""

    @pytest.fixture
    def night(self, loft, alice):
        desk = loft.places.get(number=1)
        return book(desk, alice, NOW, local(loft, "2027-03-14T02:00"), 1)

    def test_a_time_that_the_clocks_skip_can_t_be_kept(self, clerk, loft, night, lunch):
        answer = move_to(clerk, loft, "America/New_York", WALL)
        assert answer.status_code == 409
        assert [line["words"].split(",")[1] for line in answer.context["lines"]] == [
            " Sun 14 Mar 2027"
        ]
        assert "The clocks go forward that night: 02:00 does not exist." in answer.text
        assert reply(clerk, loft, answer, KEEP).status_code == 302
        assert on_the_clock(night, BERLIN) == ("14 02:00", "14 03:00")
        assert told(night) == [("KEPT", ["zone_moved"])]
        assert told(lunch) == [("MOVED", ["zone_moved"])]
        assert nothing_is_wrong()

    def test_whoever_stays_is_not_run_over(self, clerk, loft, night, bob):
        """At 2:00 in Berlin it is 20:00 in New York, the evening before."""
        desk = loft.places.get(number=1)
        evening = book(desk, bob, NOW, local(loft, "2027-03-13T20:00"), 1)
        answer = move_to(clerk, loft, "America/New_York", WALL)
        assert "Somebody else has the place at that time on the clock." in answer.text
        assert reply(clerk, loft, answer, KEEP).status_code == 302
        assert on_the_clock(evening, BERLIN)[0] == "13 20:00"
        assert nothing_is_wrong()

    def test_a_booking_that_would_be_over_can_t_be_moved(self, clerk, loft, alice):
        desk = loft.places.get(number=1)
        today = book(desk, alice, NOW, local(loft, "2027-03-01T10:00"), 1)
        answer = move_to(clerk, loft, "Asia/Tokyo", WALL)
        assert "This time is already past." in answer.text
        assert reply(clerk, loft, answer, CANCEL).status_code == 302
        assert told(today) == [("CANCELLED", [])]

    @pytest.mark.parametrize(
        ("old", "new", "starts", "ends"),
        [
            ("UTC", "Europe/Berlin", "2027-10-31T02:30+00:00", "2027-10-31T02:30+02:00"),
            ("Europe/Berlin", "UTC", "2027-10-31T02:30+01:00", "2027-10-31T02:30+00:00"),
            ("Asia/Kathmandu", "Asia/Kolkata", "2027-03-03T13:15+05:45", "2027-03-03T13:15+05:30"),
            (
                "Pacific/Apia",
                "Pacific/Pago_Pago",
                "2027-03-03T13:00+13:00",
                "2027-03-03T13:00-11:00",
            ),
        ],
    )
    def test_the_same_reading_of_the_clock(self, old, new, starts, ends):
        starts_at = datetime.fromisoformat(starts)
        period = Period(starts_at.astimezone(UTC), (starts_at + hours(2)).astimezone(UTC))
        moved = same_wall(period, ZoneInfo(old), ZoneInfo(new), now=NOW)
        assert moved.starts_at == datetime.fromisoformat(ends)

    def test_an_hour_that_would_end_before_it_begins(self):
        """From 2:45 to the second 2:15: elsewhere there is no second one."""
        starts_at = datetime(2027, 10, 31, 0, 45, tzinfo=UTC)
        period = Period(starts_at, starts_at + timedelta(minutes=30))
        found = same_wall(period, BERLIN, ZoneInfo("UTC"), now=NOW)
        assert isinstance(found, Problem)


class TestClosures:
    """A day that is closed stays that day, unless it is the moment that is kept."""

    @pytest.fixture
    def friday(self, loft):
        starts_at = local(loft, "2027-03-05T00:00")
        return ClosureFactory(space=loft, starts_at=starts_at, ends_at=starts_at + hours(24))

    def days(self, closure, zone):
        closure.refresh_from_db()
        ends = (closure.starts_at.astimezone(zone), closure.ends_at.astimezone(zone))
        return tuple(f"{at:%d %H:%M}" for at in ends)

    def test_where_nothing_is_booked(self, clerk, loft, friday):
        assert move_to(clerk, loft, "America/New_York").status_code == 302
        assert self.days(friday, NEW_YORK) == ("05 00:00", "06 00:00")

    def test_along_with_bookings_that_keep_the_time_on_the_clock(self, clerk, loft, friday, alice):
        """At 6:00 on Saturday in Berlin it is still Friday in New York."""
        desk = loft.places.get(number=1)
        early = book(desk, alice, NOW, local(loft, "2027-03-06T00:00"), 1)
        assert move_to(clerk, loft, "America/New_York", WALL).status_code == 302
        assert on_the_clock(early, NEW_YORK)[0] == "06 00:00"
        assert told(early) == [("MOVED", ["zone_moved"])]

    def test_the_moment_too(self, clerk, loft, friday, lunch):
        assert move_to(clerk, loft, "America/New_York", INSTANT).status_code == 302
        assert self.days(friday, NEW_YORK) == ("04 18:00", "05 18:00")


def test_a_booking_made_meanwhile_is_asked_about_too(clerk, loft, lunch, bob):
    fields = asked(move_to(clerk, loft, "America/New_York"))
    later = book(loft.places.get(number=2), bob, NOW, local(loft, "2027-03-03T13:00"), 1)
    answer = clerk.post(page(loft), fields | WALL)
    assert answer.status_code == 409
    assert [line["is_new"] for line in answer.context["lines"]] == [False, True]
    assert told(later) == told(lunch) == []


def test_an_unknown_clock_is_no_answer(clerk, loft, lunch):
    fields = asked(move_to(clerk, loft, "America/New_York"))
    for clock in ("", "both", "\x00"):
        answer = clerk.post(page(loft), fields | {"bookings-clock": clock})
        assert answer.status_code == 409, clock
        assert told(lunch) == [], clock


def test_both_at_once(clerk, loft, lunch):
    """Another zone and a rule that the booking breaks, in one form."""
    PolicyFactory(space=loft, step_minutes=60)
    changes = {"policies-0-min_minutes": "120"}
    answer = move_to(clerk, loft, "America/New_York", WALL, **changes)
    assert answer.status_code == 409
    assert "The shortest booking is 2 hours." in answer.text
    answer = reply(clerk, loft, answer, KEEP)
    assert answer.status_code == 302
    assert told(lunch) == [("MOVED", ["zone_moved"]), ("KEPT", ["too_short"])]
    assert on_the_clock(lunch, NEW_YORK)[0] == "03 13:00"
    assert nothing_is_wrong()
