"""A newcomer's first booking: the press that makes the account, or signs in, books as well."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.factories import PASSWORD
from accounts.models import User
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from config.tests.garbage import PostedForms
from spaces.factories import PolicyFactory
from spaces.models import Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

NEW = {"username": "carol", "password1": PASSWORD}
OLD = {"username": "alice", "password": PASSWORD}


@pytest.fixture
def door(client, space, soon):
    """Where the board's first card leads a visitor."""
    chosen = {"date": f"{soon:%Y-%m-%d}", "from": "10:00", "to": "12:00"}
    board = client.get(space.get_absolute_url(), chosen).text
    return unescape(
        re.search(r'<a class="button [^"]*" href="(/accounts/register/\?place=[^"]*)"', board)[1]
    )


def hidden(page):
    """Return the fields that a door carries along."""
    found = PostedForms(page.text.partition("<main")[2]).found
    [fields] = [fields for _action, fields in found if "username" in dict(fields)]
    return {name: value for name, value in fields if value}


def in_doors(path):
    return [path, path.replace("register", "login")]


def test_the_wish_is_shown_at_both_doors(client, door):
    for path in in_doors(door):
        page = client.get(path).text
        assert "One step to your booking" in page
        time = '<span class="whole">10:00–12:00</span>'
        assert re.search(rf"<li>Desk 1</li><li>.*, {time}</li><li>Loft</li>", page)
        for other in in_doors(door):
            query = parse_qs(urlsplit(other).query)
            link = re.search(rf'href="({urlsplit(other).path}[^"]*)"[^>]*>I ', page)[1]
            assert parse_qs(urlsplit(unescape(link)).query) == query


def test_the_press_that_makes_the_account_books(client, door):
    page = client.post(door, hidden(client.get(door)) | NEW, follow=True)
    assert "Desk 1 is yours." in page.text
    assert "You have an account and are signed in." in page.text
    made = Booking.objects.get()
    assert (made.member.username, made.state) == ("carol", State.CONFIRMED)


def test_the_press_that_signs_in_books(client, door, alice):
    path = in_doors(door)[1]
    assert "Sign in and book" in client.get(path).text
    assert "Desk 1 is yours." in client.post(path, hidden(client.get(path)) | OLD, follow=True).text
    assert Booking.objects.get().member == alice


def test_only_two_fields_must_be_filled_in_and_the_second_says_what_for(client, door):
    page = client.get(door).text.partition("<main")[2]
    assert re.findall(r"<input[^>]*\brequired\b", page) == re.findall(
        r'<input[^>]*name="(?:username|password1)"[^>]*\brequired\b', page
    )
    names = re.findall(r'<input type="(?:text|email|password)" name="(\w+)"', page)
    assert names == ["username", "email", "password1"]
    assert "if you forget your password" in page


def test_what_was_taken_meanwhile_is_refused_and_the_account_is_there(
    client, door, desk, bob, soon
):
    fields = hidden(client.get(door)) | NEW
    book(desk, bob, soon - hours(72), soon)
    page = client.post(door, fields)
    assert page.status_code == 409
    assert "Someone took Desk 1" in page.text
    assert "This is free instead" in page.text
    alternative, *_ = PostedForms(page.text.partition("<main")[2]).found
    ticket = client.post(alternative[0], dict(alternative[1]), follow=True)
    assert "is yours." in ticket.text
    assert User.objects.get(username="carol").bookings.get(state=State.CONFIRMED)


def test_what_a_rule_forbids_is_refused_and_the_account_is_there(client, door, space):
    fields = hidden(client.get(door)) | NEW
    PolicyFactory.create(space=space, max_minutes=60)
    page = client.post(door, fields)
    assert page.status_code == 422
    assert "The longest booking is 1 hour." in page.text
    assert client.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize("mistake", [{"username": "no blanks"}, {"password1": "short"}])
def test_a_mistake_keeps_the_wish(client, door, mistake):
    fields = hidden(client.get(door))
    page = client.post(door, fields | NEW | mistake)
    assert page.status_code == 422
    assert hidden(page).items() >= fields.items()
    assert "One step to your booking" in page.text
    assert client.post(door, hidden(page) | NEW).url.endswith("?booked=1")
    assert Booking.objects.count() == 1


def test_a_wrong_password_keeps_the_wish(client, door, alice):
    path = in_doors(door)[1]
    page = client.post(path, hidden(client.get(path)) | OLD | {"password": "wrong"})
    assert client.post(path, hidden(page) | OLD).url.endswith("?booked=1")


def test_the_language_is_changed_beside_the_wish(client, door):
    for page in (client.get(door), client.post(door, hidden(client.get(door)))):
        back = unescape(re.search(r'name="next" value="([^"]*)"', page.text)[1])
        assert back == door
    switched = client.post("/accounts/language/", {"language": "ru", "next": door}, follow=True)
    assert "Desk" not in switched.text.partition("<main")[2]
    assert hidden(switched)["place"] == hidden(client.get(door))["place"]


def test_who_is_signed_in_goes_to_the_card(client, door, alice, desk):
    client.force_login(alice)
    answer = client.get(door)
    assert answer.url.startswith("/spaces/loft/?date=")
    assert f"place={desk.code}" in answer.url
    assert not Booking.objects.exists()


def test_a_wish_sent_twice_is_one_booking(client, door, alice):
    path = in_doors(door)[1]
    fields = hidden(client.get(path)) | OLD
    for browser in (client, Client()):
        assert browser.post(path, fields).url.endswith("?booked=1")
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"place": "nothing"}, {"place": "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"}, {"starts_at": "soon"},
     {"ends_at": "2026-02-30T25:61"}, {"ends_at": "1999-01-01T10:00"}, {"party_size": "-1"}],
)  # fmt: skip
def test_what_can_not_be_read_is_no_wish(client, door, change):
    query = {name: values[0] for name, values in parse_qs(urlsplit(door).query).items()}
    for path in ("/accounts/register/", "/accounts/login/"):
        page = client.get(path, query | change)
        assert page.status_code == 200
        assert "One step" not in page.text
    fields = hidden(client.get("/accounts/register/", query | change))
    assert client.post("/accounts/register/", fields | NEW).status_code == 302
    assert not Booking.objects.exists()


def test_a_hidden_space_is_no_wish(client, door):
    Space.objects.update(is_active=False)
    assert "Loft" not in client.get(door).text.partition("<main")[2].partition("</main")[0]


def test_a_wish_says_what_is_final_before_the_press(client, door, space):
    PolicyFactory.create(space=space, cancel_deadline_minutes=7 * 24 * 60, grace_minutes=0)
    assert "Can’t be cancelled once booked" in client.get(door).text


def test_a_forgotten_password_keeps_the_wish(client, door, alice):
    page = client.get(in_doors(door)[1]).text
    forgotten = unescape(re.search(r'href="(/accounts/forgotten/[^"]*)"', page)[1])
    main = client.get(forgotten).text.partition("<main")[2]
    back = re.search(r'href="(/accounts/login/\?[^"]*)"', main)[1]
    answer = client.post(forgotten, {"who": "alice"})
    for path in (unescape(back), answer.url):
        fields = hidden(client.get(path))
        assert [fields["place"]] == parse_qs(urlsplit(door).query)["place"]
    assert client.post(answer.url, fields | OLD).url.endswith("?booked=1")


def test_a_locked_login_keeps_the_wish(client, door, alice, settings):
    settings.AXES_FAILURE_LIMIT = 1
    path = in_doors(door)[1]
    page = client.post(path, hidden(client.get(path)) | OLD | {"password": "wrong"})
    assert page.status_code == 429
    assert "<li>Desk 1</li>" in page.text
    main = page.text.partition("<main")[2]
    again = unescape(re.search(r'href="(/accounts/login/\?[^"]*)"', main)[1])
    settings.AXES_FAILURE_LIMIT = 10
    assert client.post(again, hidden(client.get(again)) | OLD).url.endswith("?booked=1")
