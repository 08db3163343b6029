"""Accepted now, decided next: `Prefer: respond-async`, waiting for the decision, batches."""

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import timezone as offset
from threading import Event, Thread

import pytest
from django.db import connections
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.api import prefer
from bookings.deciding import services
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import at_once
from bookings.tests.programs import codes, fields, kind, program, remote, wish
from config.models import WorkerHeartbeat
from config.tests.processes import PATIENCE, wait_for
from spaces.factories import PolicyFactory, open_space

pytestmark = pytest.mark.django_db

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def alices(alice):
    return program(alice)


@pytest.fixture(autouse=True)
def own_seats(settings, tmp_path):
    """Seats for waiting are shared by the whole machine: use none of other tests'."""
    settings.VAR_DIR = tmp_path


def decide_all():
    while decide_next(now=timezone.now()):
        pass


def ask(asking, place, at, **more):
    return asking.post("/bookings", wish(place, at, **more), prefer="respond-async")


class TestAccepted:
    def test_it_is_stored_and_has_a_url(self, alices, desk, soon):
        answer = ask(alices, desk, soon, note="By the window")
        assert (answer.status_code, answer["Preference-Applied"]) == (202, "respond-async")
        assert answer.json() == alices.get(answer["Location"].removeprefix("/api/v1")).json()
        assert (answer.json()["state"], answer.json()["decided_at"]) == ("CREATED", None)

    def test_quarter_hours_are_in_utc(self, alices, desk, soon):
        """With an offset of seven minutes the same digits aren't on the quarter hour."""
        odd = soon.replace(tzinfo=offset(timedelta(minutes=7)))
        answer = ask(alices, desk, odd)
        assert (kind(answer), codes(answer)) == ((422, "refused"), ["off_grid"])

    @pytest.mark.parametrize(
        "header",
        [
            "respond-async",
            "Respond-Async",
            " respond-async ",
            "respond-async, wait=10",
            "wait=10,respond-async",
            "return=minimal; x=y, respond-async; foo",
            'foo="a", respond-async=""',
            "respond-async, respond-async",
        ],
    )
    def test_the_preference_may_be_spelled_in_many_ways(self, alices, desk, soon, header):
        """RFC 7240, section 2."""
        answer = alices.post("/bookings", wish(desk, soon), prefer=header)
        assert (answer.status_code, answer["Preference-Applied"]) == (202, "respond-async")

    @pytest.mark.parametrize(
        "header",
        ["", "respond-sync", "wait=10", "respond-asynchronously", "foo; respond-async", ","],
    )
    def test_other_preferences_are_ignored(self, alices, desk, soon, header):
        answer = alices.post("/bookings", wish(desk, soon), prefer=header)
        assert answer.status_code == 201
        assert not answer.has_header("Preference-Applied")

    def test_it_is_decided_by_the_same_rules(self, alices, space, desk, soon):
        PolicyFactory.create(space=space, max_minutes=60)
        long = ask(alices, desk, soon, hours=2, party_size=3).json()["code"]
        first, second = (ask(alices, desk, soon).json()["code"] for _ in range(2))
        decide_all()
        assert decision(alices, long) == ("REJECTED", ["party_too_large", "too_long"])
        assert decision(alices, first) == ("CONFIRMED", [])
        assert decision(alices, second) == ("REJECTED", ["slot_taken"])

    def test_what_can_never_be_a_booking_is_refused_at_once(self, alices, desk, soon):
        answer = ask(alices, desk, soon, hours=-1)
        assert kind(answer) == (422, "refused")
        assert [problem["code"] for problem in answer.json()["problems"]] == ["ends_before_start"]

    def test_a_quota_counts_in_order_of_arrival(self, alices, space, soon):
        PolicyFactory.create(space=space, max_upcoming=2)
        asked = [ask(alices, place, soon).json()["code"] for place in space.places.by_number()]
        decide_all()
        assert [decision(alices, code) for code in asked] == [
            ("CONFIRMED", []),
            ("CONFIRMED", []),
            ("REJECTED", ["too_many_upcoming"]),
        ]

    def test_it_can_not_be_changed_while_undecided(self, alices, desk, soon):
        address = f"/bookings/{ask(alices, desk, soon).json()['code']}"
        assert kind(alices.delete(address)) == (409, "wrong_state")
        assert kind(alices.patch(address, {"party_size": 2})) == (409, "wrong_state")


def decision(asking, code):
    shown = asking.get(f"/bookings/{code}").json()
    return shown["state"], shown["problems"]


class TestWaiting:
    @pytest.fixture
    def undecided(self, alices, desk, soon):
        return f"/bookings/{ask(alices, desk, soon).json()['code']}"

    @pytest.fixture
    def decided(self, undecided):
        decide_all()
        return undecided

    @pytest.fixture
    def pauses(self, monkeypatch):
        found = Pauses()
        monkeypatch.setattr(prefer, "time", found)
        return found

    @pytest.mark.django_db(transaction=True)
    def test_the_answer_comes_with_the_decision(self, alices, undecided, pauses):
        """A worker decides while we wait: in the third pause."""
        pauses.do(lambda: at_once(decide_all) if pauses.seconds > 0.25 else None)
        answer = alices.get(undecided, prefer="wait=15")
        assert pauses.seconds == pytest.approx(0.3)
        assert answer.json()["state"] == "CONFIRMED"
        assert answer["Preference-Applied"] == "wait=15"

    def test_after_the_requested_seconds_it_comes_anyway(self, alices, undecided, pauses):
        answer = alices.get(undecided, prefer="wait=7")
        assert 7 <= pauses.seconds < 7.2
        assert (answer.status_code, answer.json()["state"]) == (200, "CREATED")
        assert answer["Preference-Applied"] == "wait=7"

    @pytest.mark.parametrize(
        ("header", "applied"),
        [
            ("wait=5", "wait=5"),
            ("wait=20", "wait=20"),
            ("wait=21", "wait=20"),
            ("wait=" + "9" * 3000, "wait=20"),
            ("Wait = 5", "wait=5"),
            ('wait="5"', "wait=5"),
            ("wait=5; x=1", "wait=5"),
            ("respond-async, wait=5, wait=7", "wait=5"),
        ],
    )
    def test_it_is_twenty_seconds_at_most(self, alices, decided, pauses, header, applied):
        assert alices.get(decided, prefer=header)["Preference-Applied"] == applied
        assert pauses.seconds == 0  # a decided one keeps nobody waiting

    @pytest.mark.parametrize(
        "header", ["wait", "wait=", "wait=0", "wait=-1", "wait=1.5", "wait=x", "wait=٣", "waiter=5"]
    )
    def test_nonsense_is_ignored(self, alices, undecided, header):
        answer = alices.get(undecided, prefer=header)
        assert answer.status_code == 200
        assert not answer.has_header("Preference-Applied")

    @pytest.mark.django_db(transaction=True)
    def test_when_all_seats_are_taken_the_answer_comes_at_once(
        self, settings, alices, undecided, pauses
    ):
        """Waiting requests must not occupy all web processes."""
        settings.API_WAITERS = 1
        another, may_go_on = program(Booking.objects.get().member), Event()
        pauses.do(lambda: may_go_on.wait(PATIENCE))
        with beside(lambda: another.get(undecided, prefer="wait=3")):
            wait_for(lambda: pauses.seconds > 0)  # the other one waits
            answer = alices.get(undecided, prefer="wait=10")
            assert pauses.seconds == pytest.approx(0.1)
            may_go_on.set()
            assert answer.json()["state"] == "CREATED"
            assert not answer.has_header("Preference-Applied")
            decide_all()
        assert alices.get(undecided, prefer="wait=10")["Preference-Applied"] == "wait=10"


class Pauses:
    """The clock of requests that wait: a pause takes no time, and the test can use it."""

    def __init__(self):
        self.seconds, self.do_meanwhile = 0.0, lambda: None

    def do(self, what):
        self.do_meanwhile = what

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds
        self.do_meanwhile()


@contextmanager
def beside(action):
    """Do something in another thread while the block runs."""

    def run():
        try:
            action()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()


class TestBatch:
    def post(self, asking, items, **headers):
        return asking.post("/bookings/batch", {"bookings": items}, **headers)

    def test_each_item_stands_alone(self, alices, space, desk, soon):
        items = [
            wish(desk, soon),
            wish(desk, soon, note="too late"),
            {**wish(desk, soon), "place": NOWHERE},
            wish(desk, soon, hours=-1),
            wish(desk, soon, member="bob"),
            wish(space.places.get(number=2), soon, hours=13),
        ]
        answer = self.post(alices, items)
        assert answer.status_code == 202
        results = answer.json()["results"]
        assert [
            (each["status"], each["problem"] and each["problem"]["code"]) for each in results
        ] == [
            (202, None),
            (202, None),
            (422, "invalid"),
            (422, "refused"),
            (403, "forbidden"),
            (202, None),
        ]
        assert results[2]["problem"]["errors"][0]["field"] == "body.place"
        assert results[3]["problem"]["problems"][0]["code"] == "ends_before_start"
        decide_all()
        decisions = [decision(alices, results[n]["booking"]["code"]) for n in (0, 1, 5)]
        assert decisions == [
            ("CONFIRMED", []),
            ("REJECTED", ["slot_taken"]),
            ("REJECTED", ["closed"]),
        ]

    def test_a_hundred_are_decided_in_their_order(self, alices, desk, soon):
        items = [wish(desk, soon + timedelta(hours=n % 10)) for n in range(100)]
        results = self.post(alices, items).json()["results"]
        assert [each["booking"]["starts_at"] for each in results] == [i["starts_at"] for i in items]
        for _ in range(25):
            decide_next(now=timezone.now())
        listed = alices.get("/bookings", {"limit": 100}).json()["items"]
        decisions = {each["code"]: each["state"] for each in listed}
        assert [decisions[each["booking"]["code"]] for each in results] == (
            ["CONFIRMED"] * 10 + ["REJECTED"] * 15 + ["CREATED"] * 75
        )

    def test_nobody_floods_the_queue(self, alices, bob, host, desk, soon, monkeypatch):
        """A member with three batches waiting has to wait; others, and the staff, can go on."""
        assert services.MOST_UNDECIDED == 3 * 100
        monkeypatch.setattr(services, "MOST_UNDECIDED", 3 * 10)
        for _ in range(3):
            self.post(alices, [wish(desk, soon)] * 10)
        [more] = self.post(alices, [wish(desk, soon)]).json()["results"]
        assert (more["status"], more["problem"]["alternatives"]) == (422, [])
        assert more["problem"]["problems"][0]["code"] == "too_many_undecided"
        assert ask(program(bob), desk, soon).status_code == 202
        assert ask(program(host), desk, soon, member="alice").status_code == 202
        decide_all()
        assert ask(alices, desk, soon).status_code == 202

    @pytest.mark.parametrize("count", [0, 101])
    def test_it_holds_one_to_a_hundred(self, alices, desk, soon, count):
        answer = self.post(alices, [wish(desk, soon)] * count)
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["body.bookings"])
        assert not Booking.objects.exists()

    def test_one_invalid_item_refuses_them_all(self, alices, desk, soon):
        """Every wrong value is named with its index in the list; nothing is done."""
        items = [wish(desk, soon), {"place": str(desk.code)}, wish(desk, soon, party_size=0)]
        answer = self.post(alices, items)
        assert kind(answer) == (422, "invalid")
        assert fields(answer) == [
            "body.bookings.1.starts_at",
            "body.bookings.2.party_size",
        ]
        assert not Booking.objects.exists()

    def test_sent_again_it_books_nothing_twice(self, alices, desk, soon):
        items = [wish(desk, soon), wish(desk, soon), wish(desk, soon, hours=-1)]
        first, again = (self.post(alices, items, idempotency_key="burst") for _ in range(2))
        assert again.json() == first.json()
        assert again["Idempotency-Replayed"] == "true"
        assert Booking.objects.count() == 2

    def test_without_a_key_it_is_another_request(self, alices, desk, soon):
        for _ in range(2):
            self.post(alices, [wish(desk, soon)])
        assert Booking.objects.count() == 2

    def test_staff_book_for_many(self, host, alice, bob, desk, soon):
        who = [{"member": "alice"}, {"member": "bob"}, {"guest_name": "Ivan"}, {}]
        items = [wish(desk, soon, **each) for each in who]
        results = self.post(program(host), items).json()["results"]
        members = [each["booking"]["member"] for each in results]
        assert members == ["alice", "bob", None, "hanna"]


@pytest.mark.one_database("postgresql")
@pytest.mark.django_db(transaction=True)
def test_a_burst_over_http_is_decided_while_a_worker_is_killed(live_server, manage):
    """48 requests by 12 members for the same hour of 6 places; two workers, one killed."""
    places = list(open_space(places=6).places.by_number())
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    members = [UserFactory.create(username=f"crowd{n}") for n in range(12)]
    programs = [remote(live_server.url, member) for member in members]
    # Longer than a decision takes on any machine: one that is tried too often is refused.
    workers = [manage("worker", DECISION_LEASE_SECONDS="5") for _ in range(2)]

    def send_four(asking, first):
        bodies = [wish(places[(first + n) % 6], noon + timedelta(days=2)) for n in range(4)]
        headers = {"Prefer": "respond-async"}
        return [asking.post("/bookings", json=body, headers=headers) for body in bodies]

    def kill_one():
        wait_for(Booking.objects.filter(state=State.REJECTED).exists)
        workers[0].kill()

    wait_for(lambda: WorkerHeartbeat.objects.count() == 2)
    *answers, killed = at_once(
        *[lambda p=p, n=n: send_four(p, 4 * n) for n, p in enumerate(programs)], kill_one
    )
    assert killed is None
    told = [answer.status_code for four in answers for answer in four]
    assert Counter(told) == {202: 48}
    wait_for(lambda: not Booking.objects.undecided().exists())

    shown = [item for p in programs for item in p.get("/bookings").json()["items"]]
    assert Counter((item["state"], *item["problems"]) for item in shown) == {
        ("CONFIRMED",): 6,
        ("REJECTED", "slot_taken"): 42,
    }
    assert Booking.objects.occupying().values("place").distinct().count() == 6
    assert list(violations(now=datetime.now(UTC))) == []
    for each in programs:
        each.close()
