"""The answer to a COMMIT was lost: whoever asks again learns what happened, nothing is repeated."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from bookings.deciding import queueing, services
from bookings.deciding.invariants import violations
from bookings.deciding.transactions import transactional
from bookings.models import Booking, BookingEvent
from bookings.states import State
from bookings.tests import programs
from bookings.tests.acts import book
from bookings.tests.programs import wish as body_of
from config.tests.swallowing import swallowing

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no network"),
    pytest.mark.django_db(transaction=True),
]

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd"}


@pytest.fixture
def network():
    with swallowing() as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def consistent(request):
    yield
    assert list(violations(now=timezone.now())) == []


def program(person):
    found = programs.program(person)
    found.client.raise_request_exception = False
    return found


def kinds():
    return list(BookingEvent.objects.order_by("pk").values_list("kind", flat=True))


class TestPage:
    @pytest.fixture
    def browser(self, alice):
        client = Client(raise_request_exception=False)
        client.force_login(alice)
        return client

    def wish(self, place, starts_at):
        return {
            "place": place.code,
            "starts_at": f"{starts_at:%Y-%m-%dT%H:%M}",
            "ends_at": f"{starts_at + timedelta(hours=1):%Y-%m-%dT%H:%M}",
            "party_size": 1,
            "request_key": "once",
        }

    def twice(self, network, browser, path, sent):
        """Send a form, lose the answer of the database, and submit the 503 page's form."""
        network.swallow()
        lost = browser.post(path, sent)
        assert network.swallowed == 1
        assert (lost.status_code, lost["Retry-After"]) == (503, "5")
        return browser.post(path, sent)

    def test_a_booking_is_the_one_that_was_made(self, network, browser, desk, soon):
        answer = self.twice(network, browser, "/bookings/", self.wish(desk, soon))
        made = Booking.objects.get()
        assert answer["Location"] == f"{made.get_absolute_url()}?booked=1"
        assert kinds() == ["CONFIRMED"]

    def test_a_cancellation_has_happened(self, network, browser, alice, desk, soon):
        held = book(desk, alice, soon, soon + timedelta(hours=1))
        answer = self.twice(network, browser, f"{held.get_absolute_url()}cancel/", {})
        assert answer["Location"] == held.get_absolute_url()
        assert "already cancelled" in browser.get(answer["Location"]).text
        assert kinds() == ["CONFIRMED", "CANCELLED"]

    def test_a_move_has_happened(self, network, browser, alice, desk, soon):
        held = book(desk, alice, soon, soon + timedelta(hours=1))
        later = self.wish(desk, soon + timedelta(hours=1))
        answer = self.twice(network, browser, f"{held.get_absolute_url()}reschedule/", later)
        assert answer["Location"] == f"{held.get_absolute_url()}?moved=1"
        assert kinds() == ["CONFIRMED", "MOVED"]


class TestApi:
    def lose(self, network, answer):
        assert network.swallowed == 1
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer.json()["code"] == "unavailable"

    @pytest.mark.parametrize(
        ("prefer", "status", "kind"),
        [({}, 201, "CONFIRMED"), ({"prefer": "respond-async"}, 202, "CREATED")],
    )
    def test_a_booking_is_the_one_that_was_made(
        self, network, alice, desk, soon, prefer, status, kind
    ):
        asking, body = program(alice), body_of(desk, soon)
        network.swallow()
        self.lose(network, asking.post("/bookings", body, **KEY, **prefer))
        answer = asking.post("/bookings", body, **KEY, **prefer)
        assert (answer.status_code, answer.json()["code"]) == (
            status,
            str(Booking.objects.get().code),
        )
        assert kinds() == [kind]

    def test_nobody_waits_for_a_key_that_could_not_be_given_back(self, network, alice, desk, soon):
        asking, body = program(alice), body_of(desk, soon)
        network.swallow(goes_down=True)
        self.lose(network, asking.post("/bookings", body, **KEY))
        assert asking.post("/bookings", body, **KEY).status_code == 503
        network.is_down = False
        answer = asking.post("/bookings", body, **KEY)
        assert (answer.status_code, answer.json()["code"]) == (
            201,
            str(Booking.objects.get().code),
        )

    def test_a_batch_is_the_one_that_was_requested(self, network, alice, space, soon):
        asking = program(alice)
        body = {"bookings": [body_of(place, soon) for place in space.places.all()]}
        network.swallow(after=1)
        self.lose(network, asking.post("/bookings/batch", body, **KEY))
        assert Booking.objects.count() == 2
        answer = asking.post("/bookings/batch", body, **KEY)
        assert answer.status_code == 202
        told = {each["booking"]["code"] for each in answer.json()["results"]}
        assert told == {str(code) for code in Booking.objects.values_list("code", flat=True)}
        assert kinds() == ["CREATED"] * len(body["bookings"])

    def test_a_cancellation_has_happened(self, network, alice, desk, soon):
        held, asking = book(desk, alice, soon, soon + timedelta(hours=1)), program(alice)
        network.swallow()
        self.lose(network, asking.delete(f"/bookings/{held.code}"))
        answer = asking.delete(f"/bookings/{held.code}")
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
        assert asking.get(f"/bookings/{held.code}").json()["state"] == "CANCELLED"
        assert kinds() == ["CONFIRMED", "CANCELLED"]

    @pytest.mark.parametrize(
        ("change", "kind"),
        [({"note": "By the window"}, "AMENDED"), ({"party_size": 1, "hours": 1}, "MOVED")],
    )
    def test_a_change_has_happened(self, network, alice, desk, soon, change, kind):
        held, asking = book(desk, alice, soon, soon + timedelta(hours=1)), program(alice)
        if change.pop("hours", 0):
            change |= {
                "starts_at": (soon + timedelta(hours=1)).isoformat(),
                "ends_at": (soon + timedelta(hours=2)).isoformat(),
            }
        network.swallow()
        self.lose(network, asking.patch(f"/bookings/{held.code}", change))
        answer = asking.patch(f"/bookings/{held.code}", change)
        assert answer.status_code == 200
        assert kinds() == ["CONFIRMED", kind]


def test_a_queued_decision_is_made_once(network, alice, desk, soon):
    wish = program(alice).post("/bookings", body_of(desk, soon), prefer="respond-async")
    assert wish.status_code == 202
    now = timezone.now()
    network.swallow()  # of the claim
    with pytest.raises(OperationalError):
        queueing.decide_next(now=now)
    now += timedelta(minutes=1)  # its lease is over
    network.swallow(after=1)  # of the decision
    with pytest.raises(OperationalError):
        queueing.decide_next(now=now)
    assert Booking.objects.get().state == State.CONFIRMED
    assert queueing.decide_next(now=now + timedelta(minutes=1)) == 0
    assert kinds()[-1:] == ["CONFIRMED"]
    assert kinds().count("CONFIRMED") == 1


def test_a_service_is_not_repeated(network):
    runs = []

    @transactional
    def change():
        runs.append(Booking.objects.count())

    network.swallow()
    with pytest.raises(OperationalError):
        change()
    assert (network.swallowed, len(runs)) == (1, 1)


def test_the_next_statement_has_another_connection(network, alice, desk, soon):
    held = book(desk, alice, soon, soon + timedelta(hours=1))
    network.swallow()
    with pytest.raises(OperationalError):
        services.cancel(held, by=alice, now=timezone.now())
    held.refresh_from_db()
    assert held.state == State.CANCELLED
