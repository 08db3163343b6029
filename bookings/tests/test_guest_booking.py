"""A guest books without an account, and sees, moves and cancels the booking by its link."""

import re
from datetime import timedelta
from html import unescape
from itertools import product
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client, override_settings

from accounts.models import User
from bookings.deciding import links, services
from bookings.deciding.errors import Refused
from bookings.deciding.invariants import violations
from bookings.deciding.wish import Wish
from bookings.guests import BY_GUEST, Guest, GuestLink
from bookings.models import Booking, BookingEvent
from bookings.states import State
from bookings.tests.acts import book, hours
from config.tests.garbage import PostedForms
from spaces.factories import PolicyFactory
from spaces.models import Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ANNA = {"name": "Anna", "email": "Anna@example.org", "phone": ""}
DOORS = ("guest_booking", "guest_cancel", "guest_move")


@pytest.fixture
def loft(space):
    Space.objects.filter(pk=space.pk).update(guests_may_book=True)
    space.refresh_from_db()
    return space


def board(client, space, soon):
    chosen = {"date": f"{soon:%Y-%m-%d}", "from": "10:00", "to": "12:00"}
    return client.get(space.get_absolute_url(), chosen).text


@pytest.fixture
def door(client, loft, soon):
    """Where the board's first card leads a visitor."""
    found = re.search(
        r'<a class="button [^"]*" href="(/guest/\?place=[^"]*)"', board(client, loft, soon)
    )
    return unescape(found[1])


def fields(page):
    [*_moves, (_action, found)] = PostedForms(page.text.partition("<main")[2]).found
    return {name: value for name, value in found if value}


def booked(client, door, **said):
    page = client.get(door)
    return client.post("/guest/", fields(page) | ANNA | said, follow=True)


@pytest.fixture
def ticket(client, door):
    """The address of a booking's link."""
    return booked(client, door).redirect_chain[-1][0].partition("?")[0]


def test_a_person_s_name_is_not_a_thing_s_in_russian(client, door):
    page = client.get(door, headers={"Accept-Language": "ru"}).text
    assert re.search(r'<label for="id_name">\s*Имя', page)


def test_where_guests_may_not_book_the_board_leads_to_an_account(client, space, soon):
    assert "/guest/" not in board(client, space, soon)


def test_the_three_doors_lead_to_each_other(client, door):
    page = client.get(door).text
    assert "Without an account" in page
    for name in ("register", "login"):
        other = unescape(re.search(rf'href="(/accounts/{name}/[^"]*)"[^>]*>I ', page)[1])
        back = re.search(r'href="(/guest/[^"]*)"', client.get(other).text)
        query = parse_qs(urlsplit(unescape(back[1])).query)
        assert query.items() <= (parse_qs(urlsplit(door).query) | query).items()
        assert query["place"] == parse_qs(urlsplit(door).query)["place"]


def test_a_guest_books_and_sees_the_booking(client, door):
    page = booked(client, door)

    booking = Booking.objects.get()
    assert "Desk 1 is yours." in page.text
    assert page.redirect_chain[-1][0].startswith("/g/")
    assert (booking.state, booking.channel, booking.member) == (State.CONFIRMED, "GUEST", None)
    assert (booking.guest_name, booking.guest_contact) == ("Anna", "Anna@example.org")
    assert booking.guest == Guest.objects.get()
    event = booking.events.get()
    assert (event.actor, event.by_guest) == (None, True)


def test_the_same_form_books_once(client, door):
    sent = fields(client.get(door)) | ANNA
    first, second = (client.post("/guest/", sent) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Booking.objects.count() == 1


def test_an_e_mail_or_a_phone_is_needed(client, door):
    page = booked(client, door, email="", phone="")

    assert page.status_code == 422
    assert "Name an e-mail address or a phone number." in page.text
    assert "Desk 1" in page.text
    assert booked(client, door, email="", phone="+44 20 7946 0018").status_code == 200


@pytest.mark.parametrize(
    "said", [{"email": "anna@"}, {"phone": "none"}, {"name": ""}, {"name": "a" * 151}]
)
def test_what_is_wrong_is_said_and_nothing_is_lost(client, door, said):
    page = booked(client, door, **said)

    assert page.status_code == 422
    assert 'name="place"' in page.text
    assert not Booking.objects.exists()


def test_a_place_that_is_gone_is_refused_with_one_click_alternatives(
    client, door, desk, alice, soon
):
    sent = fields(client.get(door)) | ANNA
    book(desk, alice, soon, soon)
    page = client.post("/guest/", sent)

    assert page.status_code == 409
    action, other = PostedForms(page.text.partition("<main")[2]).found[0]
    assert action == "/guest/"
    assert dict(other).items() >= {"name": "Anna", "email": "Anna@example.org"}.items()
    assert "is yours" in client.post(action, dict(other), follow=True).text


def test_a_space_that_stopped_allowing_it_refuses(client, door, loft):
    sent = fields(client.get(door)) | ANNA
    Space.objects.filter(pk=loft.pk).update(guests_may_book=False)

    page = client.post("/guest/", sent)
    assert page.status_code == 422
    assert "Booking here needs an account." in page.text


def test_one_guest_has_only_so_many_upcoming_bookings(loft, soon):
    desks = list(loft.places.order_by("number"))

    def ask(hour):
        starts_at = soon + hours(hour)
        return services.book(
            Wish(
                place=desks[0],
                member=None,
                starts_at=starts_at,
                ends_at=starts_at + hours(1),
                guest_name="Anna",
                guest_contact="anna@example.org",
                channel=Booking.Channel.GUEST,
            ),
            by=BY_GUEST,
            now=soon - hours(1),
        )

    with override_settings(GUESTS={"most_upcoming": 2, "link_days": 7}):
        ask(0), ask(1)
        with pytest.raises(Refused) as refused:
            ask(2)
    assert [problem.code for problem in refused.value.problems] == ["too_many_upcoming"]


@override_settings(TRIES={"guest": {"address": 2, "login": 9}})
def test_one_address_may_only_try_so_often(client, door):
    statuses = [booked(client, door, email=f"{n}@example.org").status_code for n in range(3)]
    assert statuses[-1] == 429


@override_settings(TRIES={"guest": {"address": 9, "login": 1}})
def test_nobody_floods_a_mailbox_through_us(client, door):
    booked(client, door)
    page = booked(client, door, email="ANNA@example.org")
    assert page.status_code == 429
    assert 'name="place"' in page.text


def test_a_member_at_that_door_books_as_a_member(client, door, alice):
    sent = fields(client.get(door))
    client.force_login(alice)

    assert client.get(door)["Location"].startswith("/spaces/loft/?date=")
    client.post("/guest/", sent)
    assert Booking.objects.get().member == alice


def test_a_key_of_another_door_opens_nothing(client, door, desk, host, soon):
    """Keys of imports can be worked out from their lines."""
    sent = fields(client.get(door)) | ANNA
    at = {"starts_at": soon, "ends_at": soon + hours(2)}
    services.book(
        Wish(place=desk, member=None, guest_name="B", request_key="import:1", **at),
        by=host,
        now=soon - hours(1),
    )
    page = client.post("/guest/", sent | {"request_key": "import:1"}, follow=True)
    assert page.status_code == 409


# --- The link -------------------------------------------------------------------------------------


def address(name, token):
    return {
        "guest_booking": f"/g/{token}/",
        "guest_cancel": f"/g/{token}/cancel/",
        "guest_move": f"/g/{token}/move/",
        "guest_check_in": f"/g/{token}/check-in/",
    }[name]


def wrong(booking):
    return "A" * 43


def revoked(booking):
    token = links.token_of(booking.guest_links.get())
    links.revoke(booking, now=booking.starts_at)
    return token


def expired(booking):
    token = links.token_of(booking.guest_links.get())
    long_ago = timedelta(days=20)
    at = {"starts_at": booking.starts_at - long_ago, "ends_at": booking.ends_at - long_ago}
    Booking.objects.update(**at)
    return token


def of_a_member(booking):
    token = links.token_of(booking.guest_links.get())
    Booking.objects.update(member=User.objects.get(username="alice"))
    return token


@pytest.mark.parametrize("make", [wrong, revoked, expired, of_a_member])
def test_a_link_that_opens_nothing_is_a_missing_page(client, ticket, alice, make):
    token = make(Booking.objects.get())
    before = list(Booking.objects.values())
    doors, methods = [*DOORS, "guest_check_in"], ["get", "head", "post", "put", "delete", "options"]
    for name, method in product(doors, methods):
        missing = getattr(client, method)(address(name, "B" * 43))
        page = getattr(client, method)(address(name, token))

        assert page.status_code == missing.status_code == 404
        assert stable(page) == stable(missing)
        assert page.headers.keys() == missing.headers.keys()
    assert list(Booking.objects.values()) == before


def stable(page):
    """Return a page without what every request has for itself."""
    return re.sub(r'value="\w{64}"|nonce="[^"]*"|next=[^"]*|/g/[\w-]+/', "", page.text)


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("who", ["nobody", "alice", "host"])
def test_every_page_by_link_is_private(client, ticket, alice, host, name, who):
    if who != "nobody":
        client.force_login({"alice": alice, "host": host}[who])
    token = ticket.split("/")[2]
    page = client.get(address(name, token))

    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert page["Referrer-Policy"] == "same-origin"
    assert '<meta name="robots" content="noindex, nofollow">' in page.text


def test_a_link_opens_one_booking(client, ticket, door, desk, soon):
    """It never changes what another link opens."""
    other = booked(
        Client(),
        door.replace("10%3A00", "14%3A00").replace("12%3A00", "16%3A00"),
        email="b@example.org",
    )
    assert other.status_code == 200
    client.post(f"{ticket}cancel/")
    assert sorted(Booking.objects.values_list("guest_contact", "state")) == [
        ("Anna@example.org", "CANCELLED"),
        ("b@example.org", "CONFIRMED"),
    ]


def test_a_guest_cancels(client, ticket):
    assert "Cancel this booking?" in client.get(f"{ticket}cancel/").text
    page = client.post(f"{ticket}cancel/", follow=True)

    assert "Cancelled: Desk 1" in page.text
    event = BookingEvent.objects.latest("sequence")
    assert (event.kind, event.actor, event.by_guest) == ("CANCELLED", None, True)
    again = client.post(f"{ticket}cancel/", follow=True)
    assert "This booking is already cancelled." in again.text


def test_a_guest_moves(client, ticket, desk, soon):
    page = client.get(f"{ticket}move/")
    sent = fields(page) | {"from": "14:00", "to": "15:00"}
    page = client.post(f"{ticket}move/", sent, follow=True)

    booking = Booking.objects.get()
    assert "Moved." in page.text
    assert booking.starts_at == soon + hours(4)
    assert BookingEvent.objects.latest("sequence").by_guest
    assert "by you" in page.text
    assert page.redirect_chain[-1][0].startswith(ticket)


def test_a_guest_moves_by_one_press_to_the_same_time_the_day_after(client, ticket, soon):
    page = client.get(f"{ticket}move/")
    form = page.text.partition('class="moves')[2].partition("</form>")[0]
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert client.post(f"{ticket}move/", sent)["Location"].endswith("?moved=1")
    assert Booking.objects.get().starts_at == soon + hours(24)


def test_a_move_to_a_taken_time_keeps_the_old_one_and_offers_others(
    client, ticket, desk, alice, soon
):
    book(desk, alice, soon, soon + hours(4))
    sent = fields(client.get(f"{ticket}move/")) | {"from": "14:00", "to": "16:00"}
    page = client.post(f"{ticket}move/", sent)

    assert page.status_code == 409
    assert "is still yours" in page.text
    forms = PostedForms(page.text.partition("<main")[2]).found
    action, other = forms[0]
    assert action == f"{ticket}move/"
    assert client.post(action, dict(other)).status_code == 302
    booking = Booking.objects.get(member=None)
    assert (booking.place.number, booking.starts_at) == (2, soon + hours(4))


def test_a_guest_checks_in(client, ticket, loft, clock, soon):
    PolicyFactory.create(space=loft, check_in_opens_minutes=30)
    assert f"{ticket}check-in/" not in client.get(ticket).text
    clock.now = soon
    assert f'action="{ticket}check-in/"' in client.get(ticket).text
    client.post(f"{ticket}check-in/", follow=True)

    event = BookingEvent.objects.latest("sequence")
    assert (event.kind, event.by_guest) == ("CHECKED_IN", True)
    assert f"{ticket}check-in/" not in client.get(ticket).text


def test_where_nobody_checks_in_a_press_says_so(client, ticket):
    page = client.post(f"{ticket}check-in/", follow=True)
    assert "Nobody has to check in here." in page.text
    assert Booking.objects.get().state == State.CONFIRMED


def test_the_deadline_is_that_of_members(client, ticket, loft, soon):
    PolicyFactory.create(space=loft, cancel_deadline_minutes=60 * 24 * 30, grace_minutes=0)

    assert "It is too late" in client.get(ticket).text
    for act in ("cancel", "move"):
        page = client.get(f"{ticket}{act}/", follow=True)
        assert "It is too late to change this booking." in page.text
    client.post(f"{ticket}cancel/")
    assert Booking.objects.get().state == State.CONFIRMED


def test_the_database_alone_opens_nothing(client, ticket):
    link = GuestLink.objects.get()
    for stored in (link.nonce, link.digest):
        assert client.get(address("guest_booking", stored)).status_code == 404
    with override_settings(SECRET_KEY="another" * 9):
        assert client.get(ticket).status_code == 200
        other = links.link_of(link.booking, now=link.created_at)
        assert other != link
        assert client.get(links.path_of(other)).status_code == 200


def test_everything_still_holds(client, ticket, now):
    client.post(f"{ticket}cancel/")
    assert list(violations(now=now)) == []
