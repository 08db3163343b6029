"""What a board suggests when nothing is free, and about an end before the start."""

import re
from datetime import time

import pytest

from bookings.finding.tests.test_board import ALL_DAY, DAY, board_of
from bookings.templatetags.places import search_url
from bookings.tests.acts import TEN, book, hours
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


class TestAdvice:
    """Only what helps is suggested, and each suggestion finds what it promises."""

    def told(self, space, query, now, **kwargs):
        """Return the advice; follow each search, which must find something."""
        board, _ = board_of(space, query, now, **kwargs)
        for each in board.advice:
            search = each.search
            url = search_url(board, search)
            found, form = board_of(space, url.partition("?")[2], now)
            assert found.search == search or search.day != board.search.day
            assert not form.errors
            assert found.offers or search.day != board.search.day
        return [each.words for each in board.advice]

    def test_fewer_people_where_the_largest_place_is_smaller(self, now):
        space = open_space(places=1, place={"capacity": 14})
        assert self.told(space, f"{DAY}&party=60", now) == ["For 14 people"]

    def test_several_places_hold_a_party_that_no_single_one_does(self, now):
        space = open_space(places=5)
        assert self.told(space, f"{DAY}&party=5", now) == [
            "5 places together have room for 5: book them one by one",
            "For 1 person",
        ]
        assert self.told(space, f"{DAY}&party=6", now) == ["For 1 person"]

    def test_a_whole_and_its_parts_are_not_counted_twice(self, space, now):
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set(space.places.filter(number__in=(1, 2)))
        assert self.told(space, f"{DAY}&party=4", now) == ["For 2 people"]
        assert self.told(space, f"{DAY}&party=3", now) == [
            "2 places together have room for 3: book them one by one",
            "For 2 people",
        ]

    def test_a_shorter_time_only_where_it_is_free(self, space, alice, now):
        for place in space.places.all():
            book(place, alice, now, starts_at=TEN + hours(1), length=1)
        assert self.told(space, DAY, now) == ["10:00–11:00: 3 places"]
        for place in space.places.all():
            book(place, alice, now, starts_at=TEN, length=1)
        assert self.told(space, DAY, now) == []

    def test_a_time_that_is_too_long_is_cut_to_what_is_allowed(self, space, now):
        PolicyFactory.create(space=space, max_minutes=180)
        query = "date=2026-11-25&from=10:00&to=18:00"
        assert self.told(space, query, now) == ["10:00–13:00: 3 places"]

    def test_fewer_features(self, space, now):
        assert self.told(space, f"{DAY}&feature=window", now) == [
            "Without these features: 3 places"
        ]

    def test_the_last_day_that_is_open_for_bookings(self, space, now):
        query = "date=2027-06-01&from=10:00&to=12:00&party=1"
        assert self.told(space, query, now) == ["Look at Tue 23 Feb 2027"]

    def test_nothing_is_suggested_for_the_past(self, space, now):
        assert self.told(space, "date=2026-11-20&from=10:00&to=12:00&party=9", now) == []

    def test_the_page_has_it_as_links(self, client, soon):
        space = open_space(places=1, place={"capacity": 14})
        text = client.get(
            f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00&party=60"
        ).text
        assert "The largest place here is for 14 people." in text
        assert re.search(r'<a [^>]*href="[^"]*party=14[^"]*">For 14 people</a>', text)
        assert "shorter time" not in text


class TestBackwards:
    BACK = "date=2026-11-25&from=12:00&to=10:00"

    def test_an_end_before_the_start_says_so_at_its_field(self, space, now):
        board, form = board_of(space, self.BACK, now)
        assert form.errors == {"to": ["The end is before the start."]}
        assert board.search.period is None

    def test_the_field_is_marked_and_keeps_what_was_asked_for(self, client, space, soon):
        url = f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=12:00&to=10:00"
        text = client.get(url).text
        assert "Nothing is free" not in text
        field = re.search(r'<select name="to".*?</select>', text, re.DOTALL)[0]
        assert 'aria-invalid="true"' in field
        assert '<option value="10:00" selected' in field

    def test_the_same_on_a_closed_day(self, space, now):
        space.opening_hours.filter(weekday=2).delete()
        assert "to" in board_of(space, self.BACK, now)[1].errors

    @pytest.mark.parametrize(
        ("query", "is_backwards"),
        [
            ("from=20:00&to=01:00", False),
            ("from=20:00&to=03:00", False),  # too late, but meant
            ("from=20:00&to=19:00", True),
            ("from=12:00&to=12:00", True),
        ],
    )
    def test_an_overnight_end_may_be_meant_where_the_space_is_open_past_midnight(
        self, now, query, is_backwards
    ):
        space = open_space(opens_at=time(12), closes_at=time(2))
        _, form = board_of(space, f"date=2026-11-25&{query}", now)
        assert ("to" in form.errors) == is_backwards

    def test_any_overnight_end_may_be_meant_where_the_space_never_closes(self, now):
        space = open_space(**ALL_DAY)
        assert not board_of(space, self.BACK, now)[1].errors

    def test_midnight_is_the_end_of_the_day(self, space, now):
        assert not board_of(space, "date=2026-11-25&from=12:00&to=00:00", now)[1].errors
