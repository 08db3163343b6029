"""A booking's pages promise exactly what their POST does, in every state and set-up."""

import re
from datetime import datetime, timedelta
from itertools import combinations, permutations, product

import pytest
from django.utils import timezone

from accounts.factories import StaffRoleFactory
from bookings.models import Booking
from bookings.states import MET, State, sources
from bookings.tests.acts import book, hours, undone
from spaces.factories import PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

WHO = ["a member", "one of the staff"]
WHEN = {"past": -30, "running": 0, "tomorrow": 1, "in a week": 7}  # days until it begins
SETUPS = {
    "as it was": lambda space: None,
    "the place withdrawn": lambda space: space.places.filter(number=1).update(is_bookable=False),
    "the space hidden": lambda space: type(space).objects.update(is_active=False),
    "a deadline of two days": lambda space: PolicyFactory.create(
        space=space, cancel_deadline_minutes=2 * 24 * 60
    ),
}


@pytest.fixture
def space():
    """Open round the clock: a booking can run now, and be moved to any hour."""
    midnight = datetime.min.time()
    return open_space(slug="loft", name="Loft", opens_at=midnight, closes_at=midnight)


def after_post(client, path, **data):
    """Return what a booking is after a POST, which is then undone."""
    with undone():
        client.post(path, data)
        return Booking.objects.values_list("state", "starts_at").get()


def ticket_of(client, booking):
    return client.get(booking.get_absolute_url()).text.partition("<article")[2]


def cases_of(state):
    """Return everyone in each setting at each time; for states that offer nothing, each pair."""
    everything = product(WHO, WHEN, SETUPS)
    if state in MET and state in sources(State.CANCELLED):
        return list(everything)
    n = list(State).index(state)
    setups = [list(SETUPS)[(n + day) % len(SETUPS)] for day in range(len(WHEN))]
    people = [WHO[(n + day // 2) % len(WHO)] for day in range(len(WHEN))]
    return list(zip(people, WHEN, setups, strict=True))


def test_each_pair_is_tried():
    tried = [(state, *case) for state in State for case in cases_of(state)]
    for one, other in combinations((State, WHO, WHEN, SETUPS), 2):
        pairs = {pair for case in tried for pair in permutations(case, 2)}
        assert pairs >= {*product(one, other)}
    assert {*product([State.CONFIRMED], WHO, WHEN, SETUPS)} <= {*tried}


@pytest.mark.parametrize("state", State)
def test_what_a_ticket_offers_works(client, space, alice, subtests, state):
    client.force_login(alice)
    for who, when, setup in cases_of(state):
        with subtests.test(f"{who}, {when}, {setup}"), undone():
            if who == "one of the staff":
                StaffRoleFactory.create(user=alice, space=space)
            try_all(client, space, alice, state, WHEN[when], SETUPS[setup])


def try_all(client, space, alice, state, days, setup):
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    begins = now + timedelta(days=days)
    made = book(space.places.get(number=1), alice, begins - timedelta(days=9), begins)
    Booking.objects.update(state=state, checked_in_at=now, hold_expires_at=now)
    setup(space)
    ticket = ticket_of(client, made)
    page = made.get_absolute_url()

    offers_cancelling = f'href="{page}cancel/"' in ticket
    after, _start = after_post(client, f"{page}cancel/")
    assert offers_cancelling == (after == State.CANCELLED != state)
    asks = client.get(f"{page}cancel/")
    assert (asks.status_code == 200) == offers_cancelling

    offers_moving = re.search(r'href="([^"]*move=[^"]*)"', ticket)
    other = space.places.get(number=2)
    later = now + timedelta(days=8)
    asked = {
        "starts_at": f"{later:%Y-%m-%dT%H:%M}",
        "ends_at": f"{later + hours(2):%Y-%m-%dT%H:%M}",
    }
    _state, start = after_post(client, f"{page}reschedule/", place=other.code, **asked)
    assert bool(offers_moving) == (start == later)
    board = client.get(space.get_absolute_url(), {"move": made.code})
    assert (board.status_code == 200) == bool(offers_moving)

    said = re.search(r"You can (move or cancel|move|cancel) it until", ticket)
    if said:
        assert offers_cancelling == ("cancel" in said[1])
        assert bool(offers_moving) == ("move" in said[1])


@pytest.mark.parametrize("setup", ["the place withdrawn", "the space hidden"])
def test_a_refusal_offers_no_other_time_if_there_is_none(client, desk, alice, soon, setup):
    client.force_login(alice)
    SETUPS[setup](desk.space)
    sent = {"place": desk.code, "starts_at": f"{soon:%Y-%m-%dT%H:%M}"}
    page = client.post("/bookings/", sent | {"ends_at": f"{soon + hours(2):%Y-%m-%dT%H:%M}"})
    assert page.status_code == 422
    assert "Another time" not in page.text
    for path in re.findall(r'<a class="button[^"]*" href="([^"]*)"', page.text):
        assert client.get(path.replace("&amp;", "&")).status_code == 200


def test_a_refusal_says_yours_only_about_your_own(client, desk, alice, soon):
    made = book(desk, alice, soon - hours(24), soon)
    Booking.objects.update(state=State.CANCELLED)
    client.force_login(alice)
    sent = {"place": desk.code, "starts_at": f"{soon:%Y-%m-%dT%H:%M}"}
    sent |= {"ends_at": f"{soon + hours(3):%Y-%m-%dT%H:%M}"}
    page = client.post(f"{made.get_absolute_url()}reschedule/", sent)
    assert page.status_code == 422
    assert "still yours" not in page.text
    assert "move=" not in page.text
