"""What members of a crowd write down: what they were told, and every try that it took."""

import logging
import threading
from datetime import UTC, datetime

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from bookings.deciding import queueing
from bookings.models import Booking
from chaos import asking, history, prepare
from chaos.history import Act, Writer
from chaos.members import Crowd, Device, Wish
from chaos.tests.balancer import CUT, LOSE, before
from chaos.verdict import judge
from config.tests.processes import database_url, wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_database("postgresql"),
]

logging.getLogger("httpx").setLevel(logging.WARNING)

DOORS = ["api", "page"]
AT = "2026-11-30T12:03:00Z"
OLD = {"Data-As-Of": AT}
DOWN = (503, {"Retry-After": "7"}, "no database")


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between tries, which nobody takes."""
    found = []
    monkeypatch.setattr(asking, "sleep", found.append)
    return found


@pytest.fixture
def scene(transactional_db):
    return prepare.prepare(2, {})


@pytest.fixture
def balancer(live_server, settings):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    with before(live_server.url) as found:
        yield found


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.jsonl"


@pytest.fixture
def crowd(balancer, scene, path, pauses):
    writer = Writer(path)
    found = Crowd(balancer.url, writer, scene, patience=60)
    yield found
    found.stop()
    writer.close()


@pytest.fixture
def alice(crowd, scene):
    found = Device(crowd, scene.members[0], 1)
    yield found
    found.close()


@pytest.fixture
def bob(crowd, scene):
    found = Device(crowd, scene.members[1], 2)
    yield found
    found.close()


@pytest.fixture
def acts(path):
    """Return the acts so far; those of one kind, if it is said."""

    def read(kind=""):
        return [act for act in history.read(path) if isinstance(act, Act) and kind in act.kind]

    return read


def wish(scene, aim="free", *, day=0, first=2, steps=1, place=0):
    space = scene.space(aim)
    return Wish(
        space,
        space.places[place],
        space.instant(day, first * space.step),
        space.instant(day, (first + steps) * space.step),
    )


def door_of(device, name):
    return device.api if name == "api" else device.pages


def statuses(act):
    return [each.status for each in act.tries]


@pytest.mark.parametrize("name", DOORS)
def test_a_booking_is_written_down_as_it_is_in_the_database(name, alice, scene, acts):
    wanted = wish(scene)
    alice.book(door_of(alice, name), wanted)
    [act], row = acts("book"), Booking.objects.get()
    assert (act.told, act.code, act.door) == ("CONFIRMED", str(row.code), name)
    assert (act.member, act.place) == (row.member.username, row.place_id)
    assert datetime.fromisoformat(act.starts_at) == row.starts_at == wanted.starts_at
    assert datetime.fromisoformat(act.ends_at) == row.ends_at
    assert len(act.tries) == 1
    assert not act.tries[0].error
    assert list(alice.held) == [act.code]


@pytest.mark.parametrize("name", DOORS)
def test_who_comes_too_late_is_refused(name, alice, bob, scene, acts):
    bob.book(bob.api, wish(scene, "contested"))
    alice.rng.random = lambda: 0.9  # she insists
    alice.book(door_of(alice, name), wish(scene, "contested", steps=2))
    act, row = acts("book")[-1], Booking.objects.get(state="REJECTED")
    assert statuses(act) == [409]
    assert "slot_taken" in act.text
    assert (act.told, act.code) == {
        "api": ("REJECTED", str(row.code)),
        "page": ("REFUSED", ""),
    }[name]
    assert not alice.held


def test_who_finds_a_place_taken_may_take_another(alice, bob, scene, acts):
    bob.book(bob.api, wish(scene, "contested"))
    alice.rng.random = lambda: 0.1
    alice.book(alice.pages, wish(scene, "contested"))
    act = acts("book")[-1]
    assert act.told == "CONFIRMED"
    assert act.place == Booking.objects.get(code=act.code).place_id
    assert act.place != wish(scene, "contested").place.id


@pytest.mark.parametrize("name", DOORS)
def test_a_rule_refuses_without_a_booking(name, alice, scene, acts):
    for day in range(3):  # one more than the quota
        alice.book(door_of(alice, name), wish(scene, "quota", day=day))
    act = acts("book")[-1]
    assert (act.told, act.code, statuses(act)) == ("REFUSED", "", [422])
    assert Booking.objects.count() == 2


@pytest.mark.parametrize("name", DOORS)
def test_the_page_shows_what_is_ones_own_and_nothing_else(name, alice, bob, scene, acts):
    bob.book(bob.api, wish(scene, first=4))
    alice.book(alice.api, wish(scene))
    [mine] = alice.held
    door = door_of(alice, name)
    alice.look(door, wish(scene))
    alice._do("history", door, door.history)
    board, listed = acts()[-2:]
    assert (board.kind, board.own) == {"page": ("board", [mine]), "api": ("search", [])}[name]
    assert (listed.told, listed.own) == ("READ", [mine])


def test_a_board_says_of_which_day_it_is(alice, scene, acts):
    alice.look(alice.pages, wish(scene, day=3))
    [act] = acts("board")
    space = scene.space("free")
    assert act.place in {place.id for place in space.places}
    assert datetime.fromisoformat(act.starts_at) == space.instant(3, 0)
    assert datetime.fromisoformat(act.ends_at) == space.instant(3, 14 * 60)


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("misfortune", [CUT, LOSE])
def test_asking_again_with_the_same_key_gets_the_same_booking(
    name, misfortune, alice, scene, acts, balancer
):
    door = door_of(alice, name)
    alice._do("history", door, door.history)  # so that no POST signs in
    balancer.next("POST", misfortune)
    alice.book(door, wish(scene))
    [act], row = acts("book"), Booking.objects.get()
    assert (act.told, act.code) == ("CONFIRMED", str(row.code))
    assert statuses(act)[0] == 0
    assert len(act.tries) == 2
    assert act.tries[0].error
    keys = {key for method, _path, key in balancer.seen if method == "POST"}
    assert act.key == row.request_key if name == "page" else {act.key} == keys - {""}


def test_a_redirect_has_said_that_it_is_booked(alice, scene, acts, balancer):
    alice._do("history", alice.pages, alice.pages.history)
    alice.look(alice.pages, wish(scene))
    balancer.next("GET", *[DOWN] * 60)
    key = "a key"
    wanted = wish(scene)
    asked = wanted.space, wanted.place, wanted.starts_at, wanted.ends_at
    alice.crowd.patience = 0
    said = alice._do("book", alice.pages, lambda: alice.pages.book(*asked, key), wanted, key)
    assert (said.told, said.code) == ("CONFIRMED", str(Booking.objects.get().code))
    assert statuses(acts("book")[0]) == [503]


@pytest.mark.parametrize("name", DOORS)
def test_a_change_whose_answer_was_lost_is_found_done(name, alice, scene, acts, balancer):
    door, verb = door_of(alice, name), {"page": "POST"}.get(name)
    alice.book(door, wish(scene))
    [code] = alice.held
    balancer.next(verb or "PATCH", LOSE)
    alice.amend(door, code, wish(scene, day=1, place=1))
    balancer.next(verb or "DELETE", LOSE)
    alice.cancel(door, code)
    [amended], [cancelled] = acts("amend"), acts("cancel")
    assert (amended.told, amended.code, len(amended.tries)) == ("CONFIRMED", code, 2)
    assert amended.place == scene.space("free").places[1].id
    assert (cancelled.told, cancelled.code, statuses(cancelled)[0]) == ("CANCELLED", code, 0)
    assert [event.kind for event in Booking.objects.get().events.order_by("sequence")] == [
        "CONFIRMED", "MOVED", "CANCELLED",
    ]  # fmt: skip
    assert not alice.held


@pytest.mark.parametrize("name", DOORS)
def test_a_change_that_is_refused_leaves_the_booking(name, alice, bob, scene, acts):
    bob.book(bob.api, wish(scene, day=1))
    alice.book(alice.api, wish(scene))
    [code] = alice.held
    alice.amend(door_of(alice, name), code, wish(scene, day=1))
    [act] = acts("amend")
    assert (act.told, act.code, statuses(act)) == ("REFUSED", code, [409])
    assert "slot_taken" in act.text
    assert list(alice.held) == [code]
    Booking.objects.filter(code=code).update(state="COMPLETED")
    alice.cancel(door_of(alice, name), code)
    assert acts("cancel")[0].told == "REFUSED"


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_who_is_told_to_wait_waits_and_asks_again(
    name, status, alice, scene, acts, balancer, pauses, crowd
):
    door = door_of(alice, name)
    alice._do("history", door, door.history)
    balancer.next("POST", (status, {"Retry-After": "7"}, "later"), CUT)
    alice.book(door, wish(scene))
    [act] = acts("book")
    assert act.told == "CONFIRMED"
    assert statuses(act)[:2] == [status, 0]
    assert pauses[0] >= 7 > pauses[1] > 0
    assert len([text for text in crowd.problems if "500" in text]) == (status == 500)


@pytest.mark.parametrize("name", DOORS)
def test_an_act_that_is_never_answered_says_so(name, alice, scene, acts, balancer, crowd):
    door = door_of(alice, name)
    alice._do("history", door, door.history)
    crowd.patience = 0
    balancer.next("POST", CUT)
    alice.book(door, wish(scene))
    [act] = acts("book")
    assert (act.told, act.code, statuses(act)) == ("", "", [0])
    assert act.key
    assert act.text
    assert not alice.held


def test_a_request_is_looked_at_until_it_is_decided(alice, scene, acts, pauses, monkeypatch):
    def decide(_seconds):
        while queueing.decide_next(now=datetime.now(UTC)):
            pass
        connection.close()

    monkeypatch.setattr(asking, "sleep", decide)
    alice.queue(wish(scene))
    [act] = acts("queue")
    assert (act.told, statuses(act)) == ("CONFIRMED", [202, 200, 200])
    assert act.code == str(Booking.objects.get().code)
    assert list(alice.held) == [act.code]


def test_a_request_that_nobody_decides_is_accepted(alice, scene, acts, crowd):
    crowd.patience = 0
    alice.queue(wish(scene))
    [act] = acts("queue")
    assert (act.told, act.code) == ("CREATED", str(Booking.objects.get().code))
    assert not alice.held


def test_the_first_request_may_still_be_running(alice, scene, acts, balancer):
    text = '{"code": "still_running"}'
    balancer.next("POST", (409, {"Retry-After": "1"}, text))
    alice.book(alice.api, wish(scene))
    [act] = acts("book")
    assert (act.told, statuses(act)) == ("CONFIRMED", [409, 201])


def test_who_is_signed_out_signs_in_again(alice, scene, acts, crowd):
    alice.book(alice.pages, wish(scene))
    assert crowd.problems == []
    Session.objects.all().delete()
    alice.book(alice.pages, wish(scene, day=1))
    Session.objects.all().delete()
    alice._do("history", alice.pages, alice.pages.history)
    assert [act.told for act in acts()] == ["READ", "CONFIRMED", "READ", "CONFIRMED", "READ"]
    assert len(crowd.problems) == 2
    assert alice.pages.sign_ins == 3


def test_a_form_from_before_signing_in_is_sent_again(alice, scene, acts):
    alice.book(alice.pages, wish(scene))
    [code] = alice.held
    alice.pages._token = "b" * 64
    alice._do("cancel", alice.pages, lambda: alice.pages.cancel(code), code=code)
    [act] = acts("cancel")
    assert (act.told, statuses(act)) == ("CANCELLED", [403, 200])


def test_a_board_of_a_moment_ago_is_a_board(alice, scene, acts, balancer, crowd):
    alice._do("history", alice.pages, alice.pages.history)
    balancer.next("GET", (200, OLD, "a board that knows no session"))
    alice.look(alice.pages, wish(scene))
    balancer.next("GET", (200, OLD, '{"items": []}'))
    alice._do("history", alice.api, alice.api.history)
    board, listed = acts()[1:]
    assert (board.told, board.text, statuses(board)) == ("READ", f"as of {AT}", [200])
    assert (listed.told, listed.text, statuses(listed)) == ("READ", f"as of {AT}", [200])
    assert crowd.problems == []


@pytest.mark.parametrize("name", DOORS)
def test_what_became_of_a_change_is_asked_of_the_primary(name, alice, scene, acts, balancer, crowd):
    door = door_of(alice, name)
    alice.book(door, wish(scene))
    [code] = alice.held
    missing = (404, OLD, "a replica that does not know it yet")
    if name == "page":
        balancer.next("GET", missing)  # after the redirect
        alice._do("cancel", door, lambda: door.cancel(code), code=code)
    else:
        balancer.next("GET", missing, (200, OLD, '{"state": "CREATED"}'))
        alice._do("history", door, lambda: door.look(code))
    act = acts()[-1]
    assert act.told == {"page": "CANCELLED", "api": "CONFIRMED"}[name]
    assert act.tries[0].error == f"as of {AT}"
    assert crowd.problems == []


@pytest.mark.parametrize("name", DOORS)
def test_a_booking_that_is_missing_is_a_problem(name, alice, scene, acts, crowd):
    alice.book(alice.api, wish(scene))
    [code] = alice.held
    Booking.objects.all().update(code=scene.run.rjust(32, "0"))
    alice.cancel(door_of(alice, name), code)
    assert acts("cancel")[0].told == "REFUSED"
    assert "404" in crowd.problems[-1]


def test_a_crowd_does_all_of_it_and_the_judge_finds_nothing_wrong(
    live_server, scene, path, acts, monkeypatch
):
    writer = Writer(path)
    crowd = Crowd(live_server.url, writer, scene, rate=1000)
    kinds = {"book", "queue", "amend", "cancel", "board", "search", "history"}
    over = threading.Event()
    deciding = threading.Thread(target=decide_until, args=(over,))
    deciding.start()
    crowd.start()
    try:
        wait_for(lambda: {act.kind for act in acts()} == kinds)
    finally:
        crowd.stop()
        over.set()
        deciding.join()
    writer.close()
    assert crowd.problems == []
    assert all(act.told for act in acts())
    verdict = judge(path, database_url())
    assert verdict.is_good, verdict.wrong


def decide_until(over):
    while not over.wait(0.05):
        while queueing.decide_next(now=datetime.now(UTC)):
            pass
    connection.close()
