"""One request, one booking: sent many times at once, cut off, and after a process has died."""

import json
import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from accounts.api.idempotency import LEASE
from accounts.models import IdempotencyKey
from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.tests.crowd import at_once
from bookings.tests.programs import ROOT, kind, program, remote, token, wish
from config.tests.processes import wait_for
from spaces.factories import PlaceFactory

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd"}


class TestOverTheNet:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_sent_twenty_times_at_once_it_books_once(self, live_server, alice, desk, soon):
        programs = [remote(live_server.url, alice) for _ in range(20)]
        body = wish(desk, soon)

        def send(asking):
            return asking.post("/bookings", json=body, headers=KEY)

        answers = at_once(*[lambda p=each: send(p) for each in programs])
        later = [send(each) for each in programs]

        booking = Booking.objects.get()
        told = Counter((answer.status_code, answer.json()["code"]) for answer in answers)
        done = (201, str(booking.code))
        assert set(told) <= {done, (409, "still_running")}
        assert told[done] >= 1
        waiting = [answer for answer in answers if answer.status_code == 409]
        assert all(answer.headers["Retry-After"] == "1" for answer in waiting)
        assert {(a.status_code, a.json()["code"]) for a in later} == {done}
        assert {a.headers["Idempotency-Replayed"] for a in later} == {"true"}
        assert {a.headers["Location"] for a in later} == {f"/api/v1/bookings/{booking.code}"}
        assert list(violations(now=datetime.now(UTC))) == []
        for each in programs:
            each.close()

    def test_cut_off_before_the_answer_and_sent_again_it_books_once(
        self, live_server, alice, desk, soon
    ):
        text, body = token(alice), wish(desk, soon)
        post_and_hang_up(live_server.url, text, body)
        again = program(alice)
        wait_for(lambda: again.post("/bookings", body, **KEY).status_code == 201)
        answer = again.post("/bookings", body, **KEY)
        assert answer.json()["code"] == str(Booking.objects.get().code)
        assert answer["Idempotency-Replayed"] == "true"

    def test_the_same_batch_at_once_books_each_item_once(self, live_server, alice, space, soon):
        programs = [remote(live_server.url, alice) for _ in range(6)]
        body = {"bookings": [wish(place, soon) for place in space.places.all()]}
        answers = at_once(
            *[lambda p=p: p.post("/bookings/batch", json=body, headers=KEY) for p in programs]
        )
        assert {answer.status_code for answer in answers} <= {202, 409}
        assert Booking.objects.count() == 3
        for each in programs:
            each.close()


def post_and_hang_up(url, text, body):
    """Send a whole request and close the connection before a byte of the answer is read."""
    server, content = urlsplit(url), json.dumps(body)
    head = [
        f"POST {ROOT}/bookings HTTP/1.1",
        f"Host: {server.netloc}",
        f"Authorization: Bearer {text}",
        f"Idempotency-Key: {KEY['Idempotency-Key']}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    with socket.create_connection((server.hostname, server.port)) as connection:
        connection.sendall("\r\n".join([*head, "", content]).encode())


@pytest.mark.django_db
class TestAfterADeath:
    """A process dies after its booking is committed and before its answer is stored.

    It leaves the booking in the database, and a key without an answer.
    """

    def die(self, minutes=10):
        at = timezone.now() - timedelta(minutes=minutes)
        unanswered = {"status": None, "headers": {}, "body": "", "started_at": at}
        IdempotencyKey.objects.update(**unanswered)

    @pytest.mark.parametrize("prefer", ["", "respond-async"])
    def test_sent_again_it_is_the_same_booking(self, alice, desk, soon, prefer):
        asking, body = program(alice), wish(desk, soon)
        first = asking.post("/bookings", body, prefer=prefer, **KEY)
        self.die()
        again = asking.post("/bookings", body, prefer=prefer, **KEY)
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again["Location"] == first["Location"]
        assert Booking.objects.count() == 1
        replayed = asking.post("/bookings", body, prefer=prefer, **KEY)
        assert (replayed.json(), replayed["Idempotency-Replayed"]) == (first.json(), "true")

    def test_a_guests_booking_is_the_same_too(self, host, desk, soon):
        asking, body = program(host), wish(desk, soon, guest_name="Ivan")
        first = asking.post("/bookings", body, **KEY)
        self.die()
        assert asking.post("/bookings", body, **KEY).json() == first.json()
        assert Booking.objects.count() == 1

    def test_a_rejected_booking_stays_rejected(self, alice, bob, desk, soon):
        mine = program(bob).post("/bookings", wish(desk, soon)).json()["code"]
        asking = program(alice)
        first = asking.post("/bookings", wish(desk, soon), **KEY)
        self.die()
        program(bob).delete(f"/bookings/{mine}")
        again = asking.post("/bookings", wish(desk, soon), **KEY)
        assert kind(first) == kind(again) == (409, "slot_taken")
        assert again.json()["booking"] == first.json()["booking"]

    def test_a_batch_that_was_half_done_is_finished(self, alice, space, soon):
        """Its second item was never made: the first one's booking is found, the rest is made."""
        places = list(space.places.by_number())
        asking, body = program(alice), {"bookings": [wish(place, soon) for place in places]}
        first = asking.post("/bookings/batch", body, **KEY).json()["results"]
        self.die()
        for booking in Booking.objects.exclude(place=places[0]):
            booking.events.all().delete()
            booking.delete()
        again = asking.post("/bookings/batch", body, **KEY).json()["results"]
        assert again[0] == first[0]
        assert [each["booking"]["place"]["name"] for each in again] == [
            "Desk 1",
            "Desk 2",
            "Desk 3",
        ]
        assert Booking.objects.count() == 3

    def test_until_the_lease_has_run_out_it_may_still_be_running(self, alice, desk, soon):
        asking, body = program(alice), wish(desk, soon)
        asking.post("/bookings", body, **KEY)
        self.die(minutes=LEASE.total_seconds() / 60 - 0.5)
        assert kind(asking.post("/bookings", body, **KEY)) == (409, "still_running")

    def test_another_request_with_the_key_is_refused_even_then(self, alice, desk, soon):
        asking = program(alice)
        asking.post("/bookings", wish(desk, soon), **KEY)
        self.die()
        other = asking.post("/bookings", wish(desk, soon + timedelta(hours=1)), **KEY)
        assert kind(other) == (422, "idempotency_key_reused")
        assert Booking.objects.count() == 1

    def test_each_member_has_separate_keys(self, alice, bob, space, soon):
        one, two, _ = space.places.by_number()
        assert program(alice).post("/bookings", wish(one, soon), **KEY).status_code == 201
        assert program(bob).post("/bookings", wish(two, soon), **KEY).status_code == 201

    def test_a_booking_that_was_moved_since_is_answered_as_it_is(self, alice, space, desk, soon):
        PlaceFactory.create(space=space, number=9)
        asking, body = program(alice), wish(desk, soon)
        code = asking.post("/bookings", body, **KEY).json()["code"]
        self.die()
        asking.patch(f"/bookings/{code}", {"place": str(space.places.get(number=9).code)})
        again = asking.post("/bookings", body, **KEY)
        assert (again.status_code, again.json()["place"]["name"]) == (201, "Desk 9")
        assert Booking.objects.count() == 1
