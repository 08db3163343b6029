"""The event log for programs: everything once, in order, whatever commits when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts import tokens
from accounts.factories import UserFactory
from accounts.models import ApiToken
from bookings.deciding import log, services
from bookings.models import Booking, BookingEvent
from bookings.tests.acts import TEN, book, hours, move
from bookings.tests.crowd import at_once
from bookings.words.representation import booking_data
from spaces.factories import open_space

pytestmark = pytest.mark.django_db


def program(user):
    """Return a client with this person's token."""
    _, text = tokens.issue(
        user, name="test", scope=ApiToken.Scope.READ, expires_at=None, now=datetime.now(UTC)
    )
    return Client(headers={"authorization": f"Bearer {text}"})


def follow(client, after="", **query):
    """Read pages until there are no more; return the items and where to continue."""
    items = []
    while True:
        page = client.get("/api/v1/events", {"after": after, **query}).json()
        items += page["items"]
        after = page["next_cursor"]
        if not page["has_more"]:
            return items, after


def kinds(items):
    return [item["kind"] for item in items]


def test_a_bookings_life_in_order(alice, desk, now):
    booking = book(desk, alice, now)
    move(booking, now, TEN + hours(3))
    services.cancel(booking, by=alice, now=now, reason="Ill")
    items, _ = follow(program(alice))
    assert [item["id"] for item in items] == [f"{booking.code}.{n}" for n in (1, 2, 3)]
    assert kinds(items) == ["CONFIRMED", "MOVED", "CANCELLED"]
    assert [item["booking"]["state"] for item in items] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert items[0]["booking"]["starts_at"] == TEN.isoformat()
    assert items[2]["reason"] == "Ill"


def test_a_reader_who_saw_none_of_many_is_told_to_continue(alice, bob, desk, now):
    """Readers give new events their positions in the log, a batch at a time."""
    others = book(desk, bob, now)
    event = others.events.get()
    BookingEvent.objects.bulk_create(
        BookingEvent(
            booking=others, sequence=n, kind=event.kind, actor=bob, at=now, data=event.data
        )
        for n in range(2, log.CHUNK + 2)
    )
    book(desk, alice, now, starts_at=TEN + hours(3))
    items, _ = follow(program(alice))
    assert kinds(items) == ["CONFIRMED"]


def test_continuing_where_you_were(alice, desk, now):
    client = program(alice)
    first = book(desk, alice, now)
    items, after = follow(client, limit=1)
    assert kinds(items) == ["CONFIRMED"]
    assert follow(client, after) == ([], after)
    services.cancel(first, by=alice, now=now)
    items, _ = follow(client, after)
    assert kinds(items) == ["CANCELLED"]


def test_nothing_happened_yet(alice):
    page = program(alice).get("/api/v1/events").json()
    assert page == {"items": [], "next_cursor": "", "has_more": False}


def test_whose_events_people_see(alice, bob, host, desk, now):
    elsewhere = open_space(slug="elsewhere", places=1)
    book(desk, alice, now)
    book(elsewhere.places.get(), alice, now, TEN + hours(4))
    boss = UserFactory.create(is_superuser=True)
    assert len(follow(program(alice))[0]) == 2
    assert follow(program(bob))[0] == []
    assert [item["booking"]["place"]["space"] for item in follow(program(host))[0]] == ["loft"]
    assert len(follow(program(boss))[0]) == 2
    assert len(follow(program(boss), space="elsewhere")[0]) == 1


@pytest.mark.parametrize(
    "cursor",
    ["x", "1", ".", "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55.1", "٣.٣", "\x00", "9" * 60, "a" * 300],
)
def test_a_cursor_from_elsewhere(alice, desk, now, cursor):
    book(desk, alice, now)
    answer = program(alice).get("/api/v1/events", {"after": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_events_of_earlier_releases(alice, desk, now):
    booking = book(desk, alice, now)
    event = booking.events.get()
    for name in ("created_at", "decided_at", "problems"):
        del event.data[name]
    event.save(update_fields=["data"])
    [item], _ = follow(program(alice))
    assert item["booking"]["created_at"] == now.isoformat()
    assert item["booking"]["problems"] == []


def test_as_many_queries_for_many_events(alice, desk, now, django_assert_max_num_queries):
    client = program(alice)
    for day in range(20):
        book(desk, alice, now, TEN + timedelta(days=day))
    follow(client)
    with django_assert_max_num_queries(4):
        assert len(client.get("/api/v1/events").json()["items"]) == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("sqlite" in str(connection.vendor), reason="SQLite has one writer at a time")
def test_a_late_commit_is_not_skipped(alice, desk, now):
    """Its key is lower than that of an event that was read before this one became visible."""
    client = program(alice)
    other = open_space(slug="other", places=1).places.get()

    def book_meanwhile():
        book(other, alice, now, TEN + hours(6))
        return follow(client)

    with transaction.atomic():
        early = Booking.objects.create(
            member=alice,
            place=desk,
            starts_at=TEN,
            ends_at=TEN + hours(1),
            created_at=now,
            decided_at=now,
            state="REJECTED",
        )
        data = booking_data(early)
        BookingEvent.objects.create(booking=early, sequence=1, kind="REJECTED", at=now, data=data)
        [(before, after)] = at_once(book_meanwhile)
    assert kinds(before) == ["CONFIRMED"]
    items, _ = follow(client, after)
    assert kinds(items) == ["REJECTED"]
    first, second = BookingEvent.objects.order_by("pk")
    assert first.booking == early
    assert second.position < first.position


@pytest.mark.django_db(transaction=True)
def test_readers_and_writers_at_once(now):
    """Everybody reads to the end while others book: each sees every event once, in one order."""
    space = open_space(places=4)
    boss = UserFactory.create(is_superuser=True)
    members = [UserFactory.create() for _ in range(4)]

    def write(member, place):
        for day in range(6):
            booking = book(place, member, now, TEN + timedelta(days=day))
            services.cancel(booking, by=member, now=now)

    def read():
        client, seen, after = program(boss), [], ""
        while len(seen) < 48:
            items, after = follow(client, after, limit=5)
            seen += [item["id"] for item in items]
        return seen

    answers = at_once(
        *[lambda m=m, p=p: write(m, p) for m, p in zip(members, space.places.all(), strict=True)],
        read,
        read,
    )
    assert answers[:4] == [None] * 4
    assert answers[4] == answers[5]
    assert len(set(answers[4])) == 48
    assert log.place_new() == 0
