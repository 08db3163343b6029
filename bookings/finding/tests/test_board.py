"""The board: one day laid out."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.http import QueryDict

from bookings.finding import searching
from bookings.finding.availability import Availability
from bookings.finding.board import Is, build, span_of
from bookings.tests.acts import TEN, book, hours, local
from spaces import setups
from spaces.factories import ClosureFactory, PlaceFactory, PolicyFactory, open_space
from spaces.models import Place
from spaces.slots import Period

pytestmark = pytest.mark.django_db
ALL_DAY = {"opens_at": time(0), "closes_at": time(0)}


def board_of(space, query, now, *, member=None, moving=None):
    """Return the board that a URL shows, and its form."""
    setup = setups.current(space.pk)
    venue = setup.venue_for(member, now)
    limits = venue.limits(space.main_kind)
    search, form = searching.read(QueryDict(query), venue=venue, limits=limits, now=now)
    span = span_of(venue, search)
    known = Availability(setup.space, venue, span, places=setup.bookable, but=moving)
    shown = build(known, search, member=member, now=now)
    return shown, form


def spans(board):
    """Return each row's runs as text: "free 08:00-10:00"."""
    zone, at = board.venue.zone, board.quarters.at

    def text(run):
        start, end = (at(n).astimezone(zone) for n in (run.start, run.end))
        return f"{run.is_} {start:%H:%M}-{end:%H:%M}"

    return {row.place.number: [text(run) for run in row.runs] for row in board.rows}


def offered(board):
    return [offer.place.number for offer in board.offers]


DAY = "date=2026-11-25&from=10:00&to=12:00"


@pytest.mark.parametrize(("days", "runs"), [(3, "free"), (4, "later")])
def test_a_day_that_is_not_open_yet_does_not_look_free(space, desk, alice, now, days, runs):
    day = TEN + timedelta(days=days)
    book(desk, alice, now, starts_at=day)
    PolicyFactory.create(space=space, max_days_ahead=3)
    board, _ = board_of(space, f"date={day:%Y-%m-%d}", now)
    taken = "taken 10:00-12:00"
    assert spans(board)[1] == [f"{runs} 08:00-10:00", taken, f"{runs} 12:00-22:00"]
    assert bool(board.rows[1].runs[0].pick) == (runs == "free")


def test_each_kind_of_place_opens_at_its_own_time(space, now):
    room = PlaceFactory.create(space=space, kind=Place.Kind.ROOM)
    PolicyFactory.create(space=space, kind=Place.Kind.ROOM, max_days_ahead=3)
    board, _ = board_of(space, "date=2026-11-29", now)
    assert spans(board)[1] == ["free 08:00-22:00"]
    assert spans(board)[room.number] == ["later 08:00-22:00"]


class TestOffers:
    def test_an_empty_space_offers_every_place(self, space, now):
        board, _ = board_of(space, DAY, now)
        assert offered(board) == [1, 2, 3]
        assert board.offers[0].free_until == TEN + hours(12)

    def test_only_what_is_free_for_the_whole_time(self, space, desk, alice, now):
        book(desk, alice, now, starts_at=TEN + hours(1), length=1)
        board, _ = board_of(space, DAY, now)
        assert offered(board) == [2, 3]

    def test_free_until_the_next_booking(self, space, desk, alice, now):
        book(desk, alice, now, starts_at=TEN + hours(4), length=1)
        board, _ = board_of(space, DAY, now)
        assert board.offers[0].free_until == TEN + hours(4)

    def test_best_fit_first_or_by_number(self, space, now):
        PlaceFactory.create(space=space, number=4, capacity=6, kind="ROOM")
        PlaceFactory.create(space=space, number=5, capacity=2, kind="ROOM")
        board, _ = board_of(space, f"{DAY}&party=2", now)
        assert offered(board) == [5, 4]
        board, _ = board_of(space, f"{DAY}&party=2&sort=number", now)
        assert offered(board) == [4, 5]

    def test_every_chosen_feature_is_required(self, space, now):
        PlaceFactory.create(space=space, number=4, features=["window", "monitor"])
        PlaceFactory.create(space=space, number=5, features=["window"])
        board, _ = board_of(space, f"{DAY}&feature=window&feature=monitor", now)
        assert offered(board) == [4]

    def test_a_composite_is_offered_while_all_its_parts_are_free(self, space, desk, alice, now):
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        assert 10 in offered(board_of(space, DAY, now)[0])
        book(desk, alice, now)
        assert 10 not in offered(board_of(space, DAY, now)[0])

    def test_a_time_that_breaks_a_rule_offers_nothing_and_says_why(self, space, now):
        board, _ = board_of(space, "date=2026-11-25&from=07:00&to=09:00", now)
        assert board.offers == []
        assert [problem.code for problem in board.problems] == ["closed"]

    def test_nothing_free_names_the_first_time_and_tomorrow(self, space, alice, now):
        for place in space.places.all():
            book(place, alice, now, length=3)
        board, _ = board_of(space, DAY, now)
        assert (board.offers, board.problems) == ([], [])
        assert (board.first.place.number, board.first.period.starts_at) == (1, TEN + hours(3))
        assert board.tomorrow == 3

    def test_the_first_time_may_be_on_another_day(self, space, alice, now):
        ClosureFactory.create(space=space, starts_at=TEN, ends_at=TEN + hours(36))
        board, _ = board_of(space, DAY, now)
        assert board.first.period.starts_at == datetime(2026, 11, 27, 8, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("wish", "says"),
        [
            ("&party=2", "The largest place here is for 1 person."),
            ("&feature=sofa", "No place here has all of that for so many people."),
        ],
    )
    def test_what_no_place_can_ever_provide_is_reported(self, space, now, wish, says):
        board, _ = board_of(space, DAY + wish, now)
        assert [problem.message for problem in board.problems] == [says]
        assert board.first is None

    @pytest.mark.parametrize(
        ("wish", "says"),
        [
            ("&party=4", "Desk 1 is for 1 person."),
            ("&feature=quiet", "Desk 1 does not have all the features you chose."),
            ("", "Desk 1 is taken at that time."),
        ],
    )
    def test_a_picked_place_that_is_not_offered_says_why(self, space, desk, alice, now, wish, says):
        PlaceFactory.create(space=space, number=9, capacity=4, features=["quiet"])
        book(desk, alice, now)
        board, _ = board_of(space, f"{DAY}&place={desk.code}{wish}", now)
        assert [problem.message for problem in board.why_not] == [says]

    def test_a_withdrawn_place_is_not_shown(self, space, desk, now):
        desk.is_bookable = False
        desk.save()
        board, _ = board_of(space, DAY, now)
        assert (offered(board), list(spans(board))) == ([2, 3], [2, 3])


class TestRows:
    def test_runs_tile_the_opening_hours(self, space, desk, alice, bob, now):
        book(desk, bob, now, starts_at=TEN - hours(2), length=2)
        book(desk, alice, now, starts_at=TEN + hours(2), length=2)
        ClosureFactory.create(space=space, place=desk, starts_at=TEN + hours(6))
        board, _ = board_of(space, DAY, now, member=alice)
        assert spans(board)[1] == [
            "taken 08:00-10:00",
            "free 10:00-12:00",
            "mine 12:00-14:00",
            "free 14:00-16:00",
            "closed 16:00-18:00",
            "free 18:00-22:00",
        ]
        assert sum(run.end - run.start for run in board.rows[0].runs) == 14 * 4

    def test_somebody_elses_booking_just_shows_as_taken(self, space, desk, bob, alice, now):
        book(desk, bob, now)
        board, _ = board_of(space, DAY, now, member=alice)
        assert all(run.code is None for row in board.rows for run in row.runs)

    def test_neighbouring_bookings_of_others_are_one_run(self, space, desk, alice, bob, now):
        book(desk, bob, now, length=1)
        book(desk, alice, now, starts_at=TEN + hours(1), length=1)
        board, _ = board_of(space, DAY, now)
        assert spans(board)[1][1] == "taken 10:00-12:00"

    def test_past_times_can_not_be_picked(self, space, now):
        board, _ = board_of(space, DAY, TEN + timedelta(minutes=20))
        assert spans(board)[1] == ["past 08:00-10:30", "free 10:30-22:00"]
        assert board.quarters.at(board.rows[0].runs[1].pick[0]) == TEN + hours(1)

    def test_a_free_run_picks_the_searched_time_or_its_own_first(self, space, desk, alice, now):
        book(desk, alice, now, length=1)
        board, _ = board_of(space, DAY, now)
        picks = [run.pick for run in board.rows[0].runs if run.is_ == Is.FREE]
        assert [board.quarters.period(*pick) for pick in picks] == [
            Period(TEN - hours(2), TEN),
            Period(TEN + hours(1), TEN + hours(3)),
        ]

    @pytest.mark.parametrize("wish", ["party=3", "feature=monitor"])
    def test_what_does_not_suit_is_last_and_picks_nothing(self, space, desk, now, wish):
        space.places.filter(number=2).update(capacity=4, features=["monitor"])
        board, _ = board_of(space, f"{DAY}&{wish}", now)
        assert [row.place.number for row in board.rows] == [2, 1, 3]
        assert [row.suits for row in board.rows] == [True, False, False]
        assert [bool(row.runs[0].pick) for row in board.rows] == [True, False, False]

    def test_two_stretches_a_day_have_a_closed_run_between(self, now, alice):
        space = open_space(places=1, opens_at=time(12), closes_at=time(15))
        for hours_ in list(space.opening_hours.all()):
            hours_.pk, hours_.opens_at, hours_.closes_at = None, time(18), time(23)
            hours_.save()
        board, _ = board_of(space, "date=2026-11-25", now)
        assert spans(board)[1] == ["free 12:00-15:00", "closed 15:00-18:00", "free 18:00-23:00"]

    def test_a_closed_day_has_no_rows(self, space, now):
        space.opening_hours.filter(weekday=2).delete()
        board, _ = board_of(space, "date=2026-11-25", now)
        assert (board.window, board.rows) == (None, [])

    def test_the_booking_that_moves_is_not_in_its_own_way(self, space, desk, alice, now):
        booking = book(desk, alice, now)
        board, _ = board_of(space, DAY, now, member=alice, moving=booking)
        assert 1 in offered(board)


class TestSearch:
    def test_without_times_the_next_two_hours_are_shown(self, space, now):
        board, form = board_of(space, "", now)
        assert (board.search.day, board.search.period.starts_at) == (
            date(2026, 11, 25),
            TEN - hours(2),
        )
        assert (form["from"].value(), form["to"].value()) == ("08:00", "10:00")

    def test_after_closing_time_tomorrow_is_shown(self, space):
        board, _ = board_of(space, "", TEN + hours(12))
        assert board.search.day == date(2026, 11, 26)

    @pytest.mark.parametrize(
        "query",
        [
            "date=tomorrow",
            "date=2026-02-30",
            "date=0001-01-01",
            "date=99999-01-01",
            "date=2026-11-25&from=ten&to=12:00",
            "date=2026-11-25&from=25:00&to=26:00",
            "date=2026-11-25&from=10:00&to=%00",
            "date=9999-12-31&from=10:00&to=12:00",
            "date=2026-11-25&from=10:00%2B99:00&to=12:00",
            "date=2026-11-25&from=10:00Z&to=12:00Z-1",
            "party=0",
            "party=many",
            "party=99999999999999999999",
            "feature=throne",
            "place=x",
            "sort=colour",
        ],
    )
    def test_invalid_values_are_reported_and_the_board_still_shows(self, space, now, query):
        board, form = board_of(space, query, now)
        assert form.errors
        assert len(board.rows) == 3

    def test_an_off_grid_time_keeps_what_was_typed(self, space, now):
        board, form = board_of(space, "date=2026-11-25&from=10:07&to=12:07", now)
        assert [problem.code for problem in board.problems] == ["off_grid"]
        assert form["from"].value() == "10:07"
        assert "10:07" in str(form["from"])


class TestZonesAndNights:
    def test_a_restaurant_is_open_into_the_next_day(self, alice, now):
        space = open_space(
            time_zone="Europe/Moscow", kind="RESTAURANT", places=2, opens_at=time(18),
            closes_at=time(2), place={"kind": "TABLE", "capacity": 4},
        )  # fmt: skip
        PolicyFactory.create(space=space, step_minutes=30)
        board, _ = board_of(space, "date=2026-11-25&from=23:30&to=01:00&party=3", now)
        assert board.search.period.starts_at == local(space, "2026-11-25T23:30")
        assert board.search.period.ends_at == local(space, "2026-11-26T01:00")
        assert offered(board) == [1, 2]
        assert spans(board)[1] == ["free 18:00-02:00"]
        assert sum(columns for _, columns in board.hours) == 8 * 4

    def test_one_in_the_morning_belongs_to_the_night_before(self, alice, now):
        space = open_space(
            time_zone="Europe/Moscow", places=1, opens_at=time(18), closes_at=time(2)
        )
        booking = book(space.places.get(), alice, now, local(space, "2026-11-26T00:00"), length=1)
        board, _ = board_of(space, "date=2026-11-25&from=00:00&to=01:00", now, member=alice)
        assert board.search.period == booking.period
        assert spans(board)[1] == ["free 18:00-00:00", "mine 00:00-01:00", "free 01:00-02:00"]

    def test_kathmandu_is_on_the_grid(self, now):
        space = open_space(time_zone="Asia/Kathmandu", places=1, opens_at=time(9))
        board, _ = board_of(space, "date=2026-11-26&from=09:00&to=10:00", now)
        assert board.search.period.starts_at == datetime(2026, 11, 26, 3, 15, tzinfo=UTC)
        assert [columns for _, columns in board.hours] == [4] * 13
        assert offered(board) == [1]

    def test_an_autumn_night_has_twenty_five_hours(self, now):
        early = datetime(2026, 10, 20, tzinfo=UTC)
        space = open_space(time_zone="Europe/Berlin", places=1, **ALL_DAY)
        board, form = board_of(space, "date=2026-10-25&from=02:00%2B01:00&to=03:00", early)
        assert spans(board)[1] == ["free 00:00-00:00"]
        assert board.rows[0].runs[0].end == 100
        assert board.search.period.duration == hours(1)
        assert offered(board) == [1]
        clocks = [value for value, _ in form.fields["from"].widget.choices]
        assert clocks[1:5] == ["01:00", "02:00", "02:00+01:00", "03:00"]

    def test_a_spring_night_has_twenty_three_hours_and_no_half_past_two(self, now):
        early = datetime(2026, 3, 20, tzinfo=UTC)
        space = open_space(time_zone="Europe/Berlin", places=1, **ALL_DAY)
        board, form = board_of(space, "date=2026-03-29&from=02:30&to=04:00", early)
        assert board.rows[0].runs[0].end == 92
        assert "02:30 does not exist" in str(form.errors)

    def test_an_overnight_booking_in_a_space_that_never_closes(self, alice, now):
        space = open_space(time_zone="Europe/Moscow", places=1, **ALL_DAY)
        book(space.places.get(), alice, now, local(space, "2026-11-25T23:00"), length=3)
        board, _ = board_of(space, "date=2026-11-26&from=01:00&to=02:00", now)
        assert offered(board) == []
        assert spans(board)[1][0] == "taken 00:00-02:00"
