"""Cancelling in the admin: the ticked ones or one, with a reason."""

import pytest

from accounts.factories import StaffRoleFactory
from bookings.deciding import services
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/admin/bookings/booking/"
CANCEL = f"{LIST}cancel/"


@pytest.fixture
def desk_of_host(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def bookings(space, bob, soon):
    return [book(place, bob, soon - hours(24), soon) for place in space.places.by_number()]


def codes(bookings):
    return ",".join(str(booking.code) for booking in bookings)


def states():
    return list(Booking.objects.order_by("pk").values_list("state", flat=True))


def ticked(client, bookings, **more):
    keys = [booking.pk for booking in bookings]
    return client.post(LIST, {"action": "cancel_selected", "_selected_action": keys, **more})


def test_the_action_lists_them_and_asks_for_the_reason(desk_of_host, bookings):
    answer = ticked(desk_of_host, bookings[:2])
    assert answer.status_code == 200
    assert "Desk 1" in answer.text
    assert "Cancel 2 bookings" in answer.text
    assert states() == [State.CONFIRMED] * 3


def test_each_is_cancelled_with_the_reason_and_the_person(desk_of_host, bookings, host):
    sent = {"codes": codes(bookings[:2]), "reason": "Burst pipe"}
    answer = desk_of_host.post(CANCEL, sent, follow=True)
    assert "Cancelled 2 bookings." in answer.text
    assert states() == [State.CANCELLED, State.CANCELLED, State.CONFIRMED]
    for booking in bookings[:2]:
        event = booking.events.get(kind="CANCELLED")
        assert (event.actor, event.reason) == (host, "Burst pipe")
        assert booking.booked_slots.count() == 0


def test_it_returns_to_the_list_with_its_filters(desk_of_host, bookings):
    sent = {"codes": codes(bookings), "reason": "x"}
    answer = desk_of_host.post(f"{CANCEL}?_changelist_filters=day%3Dweek", sent)
    assert answer.url == f"{LIST}?day=week"


def test_what_cannot_be_cancelled_is_reported_and_the_rest_is_done(
    desk_of_host, bookings, bob, soon
):
    services.cancel(bookings[0], by=bob, now=soon - hours(24))
    sent = {"codes": codes(bookings), "reason": "x"}
    answer = desk_of_host.post(CANCEL, sent, follow=True)
    assert "Cancelled 2 bookings." in answer.text
    assert "This booking is already cancelled." in answer.text
    assert states() == [State.CANCELLED] * 3


def test_a_bookings_page_links_to_it(desk_of_host, bookings):
    text = desk_of_host.get(f"{LIST}{bookings[0].pk}/change/").text
    assert f"{CANCEL}?codes={bookings[0].code}" in text
    assert "Cancel 1 booking" in desk_of_host.get(CANCEL, {"codes": codes(bookings[:1])}).text


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "a\x00b"])
def test_without_a_valid_reason_nothing_is_cancelled(desk_of_host, bookings, reason):
    answer = desk_of_host.post(CANCEL, {"codes": codes(bookings), "reason": reason})
    assert answer.status_code == 422
    assert "reason" in answer.context["form"].errors
    assert states() == [State.CONFIRMED] * 3


@pytest.mark.parametrize("bad", ["", "x", "1", "00000000-0000-0000-0000-000000000000", ",,"])
def test_invalid_codes_are_404(desk_of_host, bookings, bad):
    assert desk_of_host.post(CANCEL, {"codes": bad, "reason": "x"}).status_code == 404
    assert desk_of_host.get(CANCEL, {"codes": bad}).status_code == 404


@pytest.mark.parametrize("key", ["x", "-1", "9" * 30, "\x00"])
def test_invalid_selected_rows_are_400(desk_of_host, bookings, key):
    sent = {"action": "cancel_selected", "_selected_action": key}
    assert desk_of_host.post(LIST, sent).status_code == 400


def test_one_booking_of_another_space_refuses_them_all(desk_of_host, bookings, bob, soon):
    place = open_space(slug="cellar").places.get(number=1)
    foreign = book(place, bob, soon - hours(24), soon)
    sent = {"codes": codes([*bookings, foreign]), "reason": "x"}
    assert desk_of_host.post(CANCEL, sent).status_code == 404
    assert "Cellar" not in ticked(desk_of_host, [foreign]).text
    assert states() == [State.CONFIRMED] * 4


@pytest.mark.parametrize("role", ["HOST", "MANAGER"])
def test_staff_of_another_space_cancel_nothing(client, bookings, role):
    client.force_login(StaffRoleFactory.create(role=role).user)
    assert client.post(CANCEL, {"codes": codes(bookings), "reason": "x"}).status_code == 404
    assert states() == [State.CONFIRMED] * 3


def test_members_and_visitors_cancel_nothing_here(client, bookings, bob):
    sent = {"codes": codes(bookings), "reason": "x"}
    assert client.post(CANCEL, sent).status_code == 302
    client.force_login(bob)
    assert client.post(CANCEL, sent, follow=True).status_code == 403
    assert states() == [State.CONFIRMED] * 3


def test_wrong_methods_are_405(desk_of_host, bookings):
    assert desk_of_host.put(CANCEL).status_code == 405
    assert desk_of_host.delete(CANCEL).status_code == 405


def test_too_many_at_once_are_refused(desk_of_host, bookings, monkeypatch):
    monkeypatch.setattr("bookings.admin.cancel.MOST", 2)
    answer = ticked(desk_of_host, bookings)
    assert answer.status_code == 302
    assert "at most 2 bookings" in desk_of_host.get(LIST).text
    sent = {"codes": codes(bookings), "reason": "x"}
    assert desk_of_host.post(CANCEL, sent).status_code == 404
