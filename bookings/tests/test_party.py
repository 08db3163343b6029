"""The pages of a restaurant: a party and a time, and the house chooses the table."""

import re
from datetime import time, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest

from bookings.models import Booking
from config.tests.garbage import PostedForms
from spaces.factories import PlaceFactory, PolicyFactory, ShiftFactory, TurnTimeFactory, open_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def inn(db):
    """Tables for 2, 4 and 8, of which the last is on the terrace; turns of 90 and 120 minutes."""
    space = open_space(slug="inn", name="Inn", kind="RESTAURANT", places=0)
    PolicyFactory(space=space, step_minutes=15)
    for number, capacity in ((1, 2), (2, 4), (3, 8)):
        PlaceFactory(space=space, number=number, kind="TABLE", capacity=capacity)
    space.places.filter(number=3).update(area="Terrace", features=["window"])
    TurnTimeFactory(space=space, from_party=1, minutes=90)
    TurnTimeFactory(space=space, from_party=3, minutes=120)
    return space


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


def board(space, **asked):
    return f"/spaces/{space.slug}/?{urlencode(asked)}"


def asked_for(soon, people, **more):
    day, hour = f"{soon:%Y-%m-%d}", f"{soon:%H:%M}"
    return {"space": "inn", "starts_at": f"{day}T{hour}", "party_size": people, **more}


def test_the_board_leads_with_a_party_and_says_until_when(member, inn, soon):
    page = member.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=2)).content.decode()
    assert "A table for 2 people" in page
    assert "We choose the table. Yours until 11:30." in page
    assert page.index("A table for 2 people") < page.index("Or choose a table yourself")
    more = member.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=3)).content.decode()
    assert "Yours until 12:00." in more


def test_what_the_card_posts_books_the_smallest_table(member, inn, soon, alice):
    response = member.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=3))
    page = response.content.decode()
    start = page.index('<form method="post" action="/bookings/"')
    form = page[start : page.index("</form>", start)]
    sent = {
        part.split('"')[0]: part.split('value="')[1].split('"')[0]
        for part in form.split('name="')[1:]
    }
    assert sent["space"] == "inn"
    answer = member.post("/bookings/", sent)
    booking = Booking.objects.get()
    assert (answer.status_code, booking.place.number, booking.party_size) == (302, 2, 3)
    ticket = member.get(answer["Location"]).content.decode()
    assert "12:00" in ticket


def test_only_a_start_is_needed(member, inn, soon):
    member.post("/bookings/", asked_for(soon, 4))
    booking = Booking.objects.get()
    assert booking.ends_at - booking.starts_at == timedelta(hours=2)


def test_a_wish_for_an_area_and_a_feature(member, inn, soon):
    page = member.get(board(inn, date=soon.date(), party=2, area="Terrace")).content.decode()
    assert '<option value="Terrace" selected>' in page
    assert "Table 3" in page
    assert "Table 1" not in page
    member.post("/bookings/", asked_for(soon, 2, area="Terrace", features="window"))
    assert Booking.objects.get().place.number == 3
    answer = member.post("/bookings/", asked_for(soon, 2, features="pool"))
    assert answer.status_code == 422
    assert "Unknown features: pool." in answer.content.decode()


def test_when_all_are_taken_the_next_times_are_offered(member, inn, soon):
    for people in (2, 4, 8):
        assert member.post("/bookings/", asked_for(soon, people)).status_code == 302
    answer = member.post("/bookings/", asked_for(soon, 2))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "No table for 2 people at 10:00–11:30." in page.replace("\u2060", "")
    assert "This is free instead" in page


def test_pacing_says_when_there_is_room_again(member, inn, soon):
    ShiftFactory(
        space=inn, name="All day", first_seating=time(8), last_seating=time(20), covers_online=3
    )
    member.post("/bookings/", asked_for(soon, 2))
    answer = member.post("/bookings/", asked_for(soon, 2))
    assert answer.status_code == 422
    assert [problem.code for problem in answer.context["problems"]] == ["pacing_full"]
    offered = [offer.period.starts_at for offer in answer.context["offers"]]
    assert offered
    assert soon not in offered
    for at in offered:  # what the page promises, its POST keeps
        assert member.post("/bookings/", asked_for(at, 2)).status_code == 302
    page = member.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=2)).content.decode()
    assert "A table for 2 people" not in page
    assert "No more than 1 person can still arrive at 10:00." in page
    alone = member.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=1)).content.decode()
    assert "A table for 1 person" in alone


def test_outside_the_shifts_nothing_is_offered(member, inn, soon):
    ShiftFactory(space=inn, name="Dinner", first_seating=time(18), last_seating=time(20))
    answer = member.post("/bookings/", asked_for(soon, 2))
    assert [problem.code for problem in answer.context["problems"]] == ["no_seating"]
    page = member.get(board(inn, date=soon.date())).content.decode()
    assert '<option value="18:00"' in page
    assert '<option value="20:15"' not in page.partition('name="to"')[0]
    assert '<option value="17:45"' not in page


def test_a_visitor_signs_up_and_has_the_table(client, inn, soon):
    page = client.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=2)).content.decode()
    assert "space=inn" in page
    door = client.get("/accounts/register/?" + urlencode(asked_for(soon, 2)))
    assert "A table that we choose" in door.content.decode()


def test_a_guest_without_an_account_has_the_table_too(client, inn, soon):
    type(inn).objects.filter(pk=inn.pk).update(guests_may_book=True)
    page = client.get(board(inn, date=soon.date(), **{"from": "10:00"}, party=3)).text
    door = unescape(re.search(r'href="(/guest/\?space=[^"]*)"', page)[1])
    [(action, sent)] = PostedForms(client.get(door).text.partition("<main")[2]).found
    said = {name: value for name, value in sent if value}
    said |= {"name": "Anna", "email": "anna@example.org"}
    shown = client.post(action, said, follow=True)
    booking = Booking.objects.get()
    assert (booking.place.number, booking.channel, booking.party_size) == (2, "GUEST", 3)
    assert booking.guest.email == "anna@example.org"
    assert "12:00" in shown.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"space": "nowhere"},
        {"space": ""},
        {"starts_at": "soon"},
        {"party_size": "many"},
        {"ends_at": "never"},
        {"area": "x" * 50},
        {"party_size": "0"},
        {"space": "a\0b"},
    ],
)
def test_nonsense_is_refused_in_words(member, inn, soon, wrong):
    answer = member.post("/bookings/", asked_for(soon, 2) | wrong)
    assert answer.status_code == 422
    assert not Booking.objects.exists()
