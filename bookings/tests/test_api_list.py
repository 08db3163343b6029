"""`GET /bookings`: pages, filters, orders; and what `ETag` says about them."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from operator import attrgetter

import pytest
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.sorting import Sort
from bookings.states import State
from bookings.tests import acts
from bookings.tests.acts import hours
from bookings.tests.programs import fields, kind, program
from spaces.factories import open_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice):
    return program(alice)


@pytest.fixture
def hosts(host):
    return program(host)


@pytest.fixture
def held(desk, alice, soon):
    """Seven bookings of alice, requested in a different order from their starts."""
    days = [soon + timedelta(days=day) for day in (3, 0, 6, 1, 5, 2, 4)]
    return acts.write_booked([(desk, alice, day) for day in days], timezone.now())


def book(place, member, at, **kwargs):
    return acts.book(place, member, timezone.now(), at, 1, **kwargs)


def cancel(booking):
    services.cancel(booking, by=booking.member, now=timezone.now())


def page(asking, **query):
    answer = asking.get("/bookings", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def listed(asking, **query):
    """Return the codes of all matching bookings, read page by page."""
    found, cursor = [], ""
    while cursor is not None:
        read = page(asking, cursor=cursor, **query)
        found += [item["code"] for item in read["items"]]
        cursor = read["next_cursor"]
    return found


def codes(bookings):
    return [str(booking.code) for booking in bookings]


ORDERS = {
    Sort.NEWEST: lambda booking: -booking.pk,
    Sort.EARLIEST: lambda booking: booking.starts_at,
    Sort.LATEST: lambda booking: -booking.starts_at.timestamp(),
}


class TestPages:
    @pytest.mark.parametrize("sort", Sort)
    def test_all_of_them_once_in_order(self, alices, held, sort):
        expected = codes(sorted(held, key=ORDERS[sort]))
        for limit in (1, 2, 3, 6, 7, 8, 100):
            assert listed(alices, sort=sort, limit=limit) == expected, limit

    def test_by_default_the_newest_request_comes_first(self, alices, held):
        assert listed(alices) == codes(reversed(held))

    @pytest.mark.parametrize("sort", Sort)
    def test_bookings_with_the_same_start_are_all_there(self, alice, alices, soon, sort):
        places = open_space(slug="hall", places=5).places.all()
        together = [book(place, alice, soon) for place in places]
        # Codes made within the same millisecond are in no order.
        tie = attrgetter("pk" if sort == Sort.NEWEST else "code")
        expected = codes(sorted(together, key=tie, reverse=sort.value.startswith("-")))
        assert listed(alices, sort=sort, limit=2) == expected

    @pytest.mark.parametrize("sort", Sort)
    def test_rows_that_come_and_go_meanwhile_shift_nothing(
        self, alices, alice, desk, held, soon, sort
    ):
        """Before each page a booking appears and one disappears, on both sides of the cursor."""
        found, cursor = [], ""
        for n in range(7):
            book(desk, alice, soon + timedelta(days=n, hours=2))
            cancel(held[n])
            read = page(alices, sort=sort, cursor=cursor, limit=1)
            found += [item["code"] for item in read["items"]]
            cursor = read["next_cursor"]
        if cursor:
            found += listed_from(alices, cursor, sort=sort)
        assert len(found) == len(set(found))
        assert [code for code in found if code in codes(held)] == codes(
            sorted(held, key=ORDERS[sort])
        )

    def test_a_filtered_list_skips_nothing_when_rows_leave_the_filter(self, alices, held):
        """The booking in the cursor is cancelled, so it is no longer in the list."""
        first = page(alices, state="CONFIRMED", sort="starts_at", limit=3)
        cancel(Booking.objects.get(code=first["items"][-1]["code"]))
        rest = listed_from(alices, first["next_cursor"], state="CONFIRMED", sort="starts_at")
        expected = codes(sorted(held, key=ORDERS[Sort.EARLIEST]))
        assert [item["code"] for item in first["items"]] + rest == expected

    @pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "many", "", "9" * 5000])
    def test_a_limit_is_one_to_a_hundred(self, alices, limit):
        answer = alices.get("/bookings", {"limit": limit})
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["query.limit"])

    def test_an_empty_page_works_too(self, alices):
        assert page(alices) == {"items": [], "next_cursor": None}


def listed_from(asking, cursor, **query):
    read = page(asking, cursor=cursor, limit=100, **query)
    assert read["next_cursor"] is None
    return [item["code"] for item in read["items"]]


class TestCursors:
    def test_a_cursor_from_another_order_is_refused(self, alices, held):
        cursor = page(alices, limit=1)["next_cursor"]
        for sort in (Sort.EARLIEST, Sort.LATEST):
            assert_bad(alices.get("/bookings", {"cursor": cursor, "sort": sort}))

    def test_half_a_cursor_is_refused(self, alices, held):
        cursor = page(alices, limit=1)["next_cursor"]
        for length in range(1, len(cursor), 3):  # base64 has four letters for three bytes
            assert_bad(alices.get("/bookings", {"cursor": cursor[:length]}))

    def test_a_cursor_from_another_list_is_refused(self, alices, held):
        open_space(slug="other")
        cursor = alices.get("/spaces", {"limit": 1}).json()["next_cursor"]
        assert_bad(alices.get("/bookings", {"cursor": cursor}))

    @pytest.mark.parametrize(
        "parts",
        [
            ["-created_at"],
            ["-created_at", "now", "then"],
            ["-created_at", "2026-11-25T10:00:00", "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"],
            ["-created_at", "2026-11-25T10:00:00+00:00", "1"],
            ["-created_at", "2026-11-25T10:00:00+00:00", "\x00"],
            ["-created_at", "2026-11-25T10:00:00+00:00", "0198c2f0", "7"],
            ["", "", ""],
        ],
    )
    def test_a_forged_cursor_is_refused(self, alices, parts):
        forged = urlsafe_b64encode("\n".join(parts).encode()).decode()
        assert_bad(alices.get("/bookings", {"cursor": forged}))

    @pytest.mark.parametrize("cursor", ["x", "=", "====", "%", "\x00", "é", "1", "A" * 300])
    def test_nonsense_is_refused(self, alices, cursor):
        assert_bad(alices.get("/bookings", {"cursor": cursor}))

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_a_forged_cursor_at_the_end_of_time_breaks_nothing(self, alices, at):
        code = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"
        forged = urlsafe_b64encode(f"starts_at\n{at}\n{code}".encode()).decode()
        answer = alices.get("/bookings", {"cursor": forged, "sort": "starts_at"})
        assert_bad(answer)

    def test_a_cursor_shows_nobody_what_is_not_theirs(self, alices, bob, held):
        cursor = page(alices, limit=1)["next_cursor"]
        assert page(program(bob), cursor=cursor)["items"] == []


def assert_bad(answer):
    assert (kind(answer), fields(answer)) == ((422, "invalid"), ["query.cursor"])


class TestFilters:
    @pytest.fixture
    def many(self, space, host, alice, bob, soon):
        """Bookings in two spaces and two states, by three people, on four days."""
        away = open_space(slug="away", places=1).places.get()
        one, two, three = space.places.by_number()
        found = {
            "alice today": book(one, alice, soon),
            "alice tomorrow": book(two, alice, soon + timedelta(days=1)),
            "alice away": book(away, alice, soon),
            "bob today": book(three, bob, soon),
            "host today": book(two, host, soon + hours(2)),
            "bob cancelled": book(one, bob, soon + timedelta(days=2)),
        }
        cancel(found["bob cancelled"])
        book(one, alice, soon + timedelta(days=3))
        found["bob rejected"] = book(one, bob, soon + timedelta(days=3))
        found["alice late"] = Booking.objects.get(member=alice, starts_at=soon + timedelta(days=3))
        return found

    MATCHING = [
        ({"state": "CANCELLED"}, ["bob cancelled"]),
        ({"state": ["CANCELLED", "REJECTED"]}, ["bob cancelled", "bob rejected"]),
        ({"state": "CREATED"}, []),
        ({"status": "CANCELLED"}, ["bob cancelled"]),
        ({"status": ["CANCELLED", "REJECTED"]}, ["bob cancelled", "bob rejected"]),
        ({"mine": "true"}, ["host today"]),
        ({"space": "away"}, []),
        ({"space": "nowhere"}, []),
        ({"space": "loft", "state": "REJECTED"}, ["bob rejected"]),
    ]

    def test_they_keep_what_matches(self, hosts, many, subtests):
        for query, names in self.MATCHING:
            with subtests.test(str(query)):
                assert sorted(listed(hosts, **query)) == sorted(codes(many[n] for n in names))

    def test_a_place(self, hosts, many, space):
        two = space.places.get(number=2)
        found = listed(hosts, place=two.code)
        assert found == codes([many["host today"], many["alice tomorrow"]])

    def test_from_and_to_keep_what_overlaps(self, alices, many, soon):
        def between(start, end):
            times = (soon + start).isoformat(), (soon + end).isoformat()
            found, same = (
                set(listed(alices, space="loft", **dict(zip(names, times, strict=True))))
                for names in (("from", "to"), ("date_from", "date_to"))
            )
            assert found == same
            return found

        today = {str(many["alice today"].code)}
        quarter = timedelta(minutes=15)
        assert between(hours(0), hours(1)) == today
        assert between(quarter, 2 * quarter) == today
        assert between(hours(-1), hours(0)) == set()  # what begins then
        assert between(hours(1), hours(2)) == set()  # what has just ended
        assert between(hours(-1), quarter) == today

    def test_all_at_once(self, hosts, many, soon, host, space):
        query = {
            "state": ["CONFIRMED", "CANCELLED"],
            "space": "loft",
            "place": space.places.get(number=2).code,
            "from": soon.isoformat(),
            "to": (soon + timedelta(days=1)).isoformat(),
            "mine": "true",
            "sort": "-starts_at",
            "limit": 1,
        }
        assert listed(hosts, **query) == codes([many["host today"]])

    @pytest.mark.parametrize(
        ("name", "other", "value"),
        [
            ("state", "status", "CONFIRMED"),
            ("from", "date_from", "2026-11-25T10:00:00Z"),
            ("to", "date_to", "2026-11-25T10:00:00Z"),
        ],
    )
    def test_a_filter_under_both_its_names_is_refused(self, alices, name, other, value):
        answer = alices.get("/bookings", {name: value, other: value})
        assert kind(answer) == (422, "invalid")
        assert f"{name} and {other} are the same filter" in answer.text

    def test_offsets_that_no_place_has(self, alices):
        """PostgreSQL only accepts up to ±15:59."""
        query = {"from": "2000-01-01T00:00:00+23:59", "to": "2199-12-31T23:59:59-23:59"}
        assert alices.get("/bookings", query).status_code == 200

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("state", "confirmed"),
            ("status", "confirmed"),
            ("date_from", "2026-11-25"),
            ("state", ""),
            ("place", "1"),
            ("place", ""),
            ("from", "2026-11-25T10:00:00"),
            ("from", "2026-11-25"),
            ("from", ""),
            ("from", "1700000000"),
            ("to", "2026-11-25T10:00:00 03:00"),
            ("to", "9999-12-31T23:59:59-14:00"),
            ("mine", "perhaps"),
            ("sort", "place"),
            ("space", "\x00"),
        ],
    )
    def test_a_wrong_value_is_named(self, alices, name, value):
        answer = alices.get("/bookings", {name: value})
        assert kind(answer) == (422, "invalid")
        assert fields(answer)[0].startswith(f"query.{name}")


class TestUnchanged:
    @pytest.mark.parametrize(
        "address",
        [
            "/bookings",
            "/bookings/{code}",
            "/events",
            "/spaces",
            "/spaces/loft",
            "/spaces/loft/availability{time}",
        ],
    )
    def test_it_is_not_sent_again(self, alices, held, soon, address):
        address = filled(address, held[0])
        first = alices.get(address)
        again = alices.get(address, if_none_match=first["ETag"])
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert "no-cache" in again["Cache-Control"]
        assert set(first["Vary"].split(", ")) >= {"Authorization", "Cookie", "Accept-Language"}
        weak = alices.get(address, if_none_match=f'"x", W/{first["ETag"]}')
        assert weak.status_code == 304

    @pytest.mark.parametrize(
        "address", ["/bookings", "/bookings/{code}", "/events", "/spaces/loft/availability{time}"]
    )
    def test_a_change_changes_it(self, alices, held, address):
        address = filled(address, held[0])
        tag = alices.get(address)["ETag"]
        cancel(held[0])
        again = alices.get(address, if_none_match=tag)
        assert (again.status_code, again["ETag"] == tag) == (200, False)

    @pytest.mark.parametrize("address", ["/spaces", "/spaces/loft"])
    def test_a_change_of_the_space_changes_it(self, alices, space, address):
        tag = alices.get(address)["ETag"]
        space.name = "Attic"
        space.save()
        assert alices.get(address, if_none_match=tag).status_code == 200

    def test_a_problem_has_none(self, alices):
        assert not alices.get("/bookings", {"limit": 0}).has_header("ETag")


def filled(address, booking):
    start, end = booking.starts_at, booking.ends_at
    time = f"?starts_at={start:%Y-%m-%dT%H:%M:%S}Z&ends_at={end:%Y-%m-%dT%H:%M:%S}Z"
    return address.replace("{code}", str(booking.code)).replace("{time}", time)


@pytest.mark.parametrize("count", [1, 100])
def test_a_page_costs_six_queries(hosts, space, soon, count, django_assert_max_num_queries):
    desk = space.places.get(number=1)
    times = [soon + timedelta(days=n // 12) - hours(2) + hours(n % 12) for n in range(count)]
    rows = [(desk, UserFactory.create(), at) for at in times]
    acts.write_booked(rows, timezone.now())
    with django_assert_max_num_queries(6) as queries:
        assert len(page(hosts, limit=100)["items"]) == count
    assert len(queries) == 5


def test_bookings_written_for_these_tests_are_as_a_service_leaves_them(held, desk, alice, soon):
    [written] = held[:1]
    booked = book(desk, alice, soon + timedelta(days=9))
    assert list(violations(now=timezone.now())) == []
    differ = {"id", "code", "starts_at", "ends_at", "created_at", "decided_at"}
    same = [f.attname for f in Booking._meta.fields if f.name not in differ]
    assert [getattr(written, name) for name in same] == [getattr(booked, name) for name in same]
    one, other = written.events.get(), booked.events.get()
    assert (one.kind, one.actor, one.data.keys()) == (other.kind, other.actor, other.data.keys())


def test_undecided_bookings_are_listed_too(alices, alice, desk, now):
    booking = acts.ask(desk, alice, timezone.now())
    [item] = page(alices, state=[State.CREATED, State.CHECKING_AVAILABILITY])["items"]
    assert (item["code"], item["decided_at"]) == (str(booking.code), None)
