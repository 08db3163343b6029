"""Several relays at once, while people book: nothing twice, nothing lost, all in order."""

import time
from collections import defaultdict
from datetime import timedelta
from threading import Event, Timer

import pytest
from django.db import connection, transaction

from accounts.factories import UserFactory
from bookings.deciding import log, services
from bookings.models import Booking, BookingEvent
from bookings.tests.acts import TEN, book, hours
from bookings.tests.crowd import at_once
from bookings.words.representation import booking_data
from config.tests.processes import PATIENCE
from notifications import relay
from notifications.factories import WebhookFactory
from notifications.models import Cursor
from notifications.outcomes import Delivered
from notifications.relay import claim, fan_out, settle
from spaces.factories import open_space

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


def refused(member, place, now, **key):
    """Leave a booking and its event, with a given key."""
    booking = Booking.objects.create(
        member=member,
        place=place,
        starts_at=TEN,
        ends_at=TEN + hours(1),
        created_at=now,
        decided_at=now,
        state="REJECTED",
    )
    return BookingEvent.objects.create(
        booking=booking, sequence=1, kind="REJECTED", at=now, data=booking_data(booking), **key
    )


def carry_all(endpoint, now, sent=None):
    """Do a worker's steps until nothing is left; return the events as they went out."""
    sent = [] if sent is None else sent
    while fan_out(now=now):
        pass
    while claimed := claim(endpoint, limit=3, now=now):
        sent += [(delivery.booking_id, delivery.event.sequence) for delivery in claimed]
        settle([(delivery, Delivered()) for delivery in claimed], now=now)
    return sent


@pytest.mark.skipif("sqlite" in str(connection.vendor), reason="SQLite has one writer at a time")
def test_a_late_commit_is_delivered_too(webhook, desk, alice, now):
    """Its event has the lower key, but becomes visible after the higher one was delivered."""
    other_desk = desk.space.places.get(number=2)

    def book_and_deliver_meanwhile():
        book(other_desk, alice, now, TEN + hours(6))
        return carry_all(webhook, now)

    with transaction.atomic():
        late = refused(alice, desk, now)
        [meanwhile] = at_once(book_and_deliver_meanwhile)
    early = BookingEvent.objects.exclude(pk=late.pk).get()
    assert late.pk < early.pk
    assert meanwhile == [(early.booking_id, 1)]
    assert carry_all(webhook, now) == [(late.booking_id, 1)]
    assert carry_all(webhook, now) == []


def test_a_lower_key_that_commits_later_is_delivered_too(webhook, desk, alice, now):
    refused(alice, desk, now, pk=1000)
    assert len(carry_all(webhook, now)) == 1
    late = refused(alice, desk, now, pk=7)
    assert carry_all(webhook, now) == [(late.booking_id, 1)]


@pytest.mark.skipif("sqlite" in str(connection.vendor), reason="SQLite has one writer at a time")
def test_no_position_changes_when_the_very_first_event_commits_late(desk, alice, now):
    """Its row is the lock for one process; for another, the second event's row was."""
    second = refused(alice, desk, now, pk=1000)
    is_under_way, may_go_on = Event(), Event()

    def place_slowly():
        def pause(execute, sql, *rest):
            found = execute(sql, *rest)
            if "MAX(" in sql.upper():
                is_under_way.set()
                may_go_on.wait(PATIENCE)
            return found

        with connection.execute_wrapper(pause):
            return log.place_new()

    def place_what_came_late():
        is_under_way.wait(PATIENCE)
        refused(alice, desk, now, pk=7)
        Timer(0.3, may_go_on.set).start()
        return log.place_new()

    assert at_once(place_slowly, place_what_came_late) == [1, 1]
    second.refresh_from_db()
    assert second.position == 1
    assert BookingEvent.objects.get(pk=7).position == 2


@pytest.mark.skipif("sqlite" in str(connection.vendor), reason="SQLite has one writer at a time")
@pytest.mark.parametrize("ask", ["resend", "replay"])
def test_a_delivery_being_resent_is_not_forgotten(webhook, desk, alice, now, ask):
    book(desk, alice, now)
    carry_all(webhook, now)
    later = now + timedelta(days=31)
    is_chosen = Event()

    def forget():
        def pause(execute, sql, *rest):
            found = execute(sql, *rest)
            if "settled_at" in sql and sql.startswith("SELECT"):
                is_chosen.set()
                time.sleep(0.5)
            return found

        with connection.execute_wrapper(pause):
            return relay.forget_settled(now=later)

    def send_again():
        is_chosen.wait(PATIENCE)
        if ask == "resend":
            return relay.resend(webhook.deliveries.all(), now=later)
        return relay.replay(BookingEvent.objects.all(), to=webhook, now=later)

    _forgotten, again = at_once(forget, send_again)
    assert webhook.deliveries.pending().count() == again


def test_several_relays_share_the_work(now):
    space = open_space(places=3)
    endpoint = WebhookFactory.create(space=space)
    Cursor.objects.create(pk=1)
    sent = []

    def write(member, place):
        for day in range(6):
            booking = book(place, member, now, TEN + timedelta(days=day))
            services.cancel(booking, by=member, now=now)

    def relay():
        while len(sent) < 36:
            carry_all(endpoint, now, sent)
            time.sleep(0.02)  # for the writers

    members = [UserFactory.create() for _ in range(3)]
    writers = [
        lambda m=m, p=p: write(m, p) for m, p in zip(members, space.places.all(), strict=True)
    ]
    assert at_once(*writers, relay, relay, relay) == [None] * 6
    assert len(set(sent)) == len(sent) == 36
    of_one = defaultdict(list)
    for booking, sequence in sent:
        of_one[booking].append(sequence)
    assert list(of_one.values()) == [[1, 2]] * 18
    assert not endpoint.deliveries.pending().exists()
