"""What can't be deleted in the admin says why it is needed, and what to do instead."""

import re
from datetime import timedelta
from html import unescape

import pytest

from accounts.factories import UserFactory
from bookings.deciding import stranding
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.tests.asked import asked as question
from spaces.models import Place

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/admin/spaces/place/"
DELETED = {"action": "delete_selected"}


@pytest.fixture(params=["superuser", "manager"])
def boss(request, client, manager):
    user = manager
    if request.param == "superuser":
        user = UserFactory.create(username="boss", is_superuser=True)
    client.force_login(user)
    return client


@pytest.fixture
def booked(desk, alice, soon):
    long_ago = soon - timedelta(days=30)
    book(desk, alice, long_ago - hours(24), long_ago)
    Booking.objects.update(state=State.COMPLETED)
    return book(desk, alice, soon - hours(24), soon)


def asked(client, desk, **data):
    """Try on the place's own page and from the list."""
    chosen = {**DELETED, "_selected_action": [desk.pk], **data}
    one = (
        client.post(f"{LIST}{desk.pk}/delete/", data)
        if data
        else client.get(f"{LIST}{desk.pk}/delete/")
    )
    return [one, client.post(LIST, chosen)]


@pytest.mark.parametrize("data", [{}, {"post": "yes"}])
def test_a_place_with_bookings_mentions_them(boss, desk, booked, data):
    for page in asked(boss, desk, **data):
        assert page.status_code == 200
        text = unescape(page.text)
        assert "permission" not in text
        found = re.search(r'Desk 1: <a href="([^"]*)">2 bookings</a>, 1 of them upcoming', text)
        listed = boss.get(found[1]).context["cl"].result_list
        assert {booking.place for booking in listed} == {desk}
        assert len(listed) == 2
    assert Place.objects.filter(pk=desk.pk).exists()


def test_until_it_is_confirmed_nobody_who_books_waits_for_it(boss, desk, monkeypatch):
    def locked(scope, act):
        raise RuntimeError

    monkeypatch.setattr(stranding, "changing", locked)
    assert boss.post(LIST, DELETED | {"_selected_action": [desk.pk]}).status_code == 200
    for more in ({"post": "yes"}, {"_save": "yes"}, {"action": ["delete_selected", "withdraw"]}):
        with pytest.raises(RuntimeError):
            boss.post(LIST, DELETED | {"_selected_action": [desk.pk]} | more)


def test_it_is_withdrawn_by_one_press_and_an_answer_about_the_bookings(boss, desk, booked):
    for page in asked(boss, desk):
        form = page.text.partition(f'<form method="post" action="{LIST}"')[2].partition("</form>")[
            0
        ]
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', form)
        Place.objects.update(is_bookable=True)
        answer = boss.post(LIST, {k: v for k, v in fields if k != "csrfmiddlewaretoken"})
        boss.post(LIST, question(answer) | {"bookings-choice": "keep"})
        desk.refresh_from_db()
        assert not desk.is_bookable
    booked.refresh_from_db()
    assert booked.state == State.CONFIRMED


def test_past_bookings_are_described_as_such(boss, desk, booked):
    Booking.objects.update(state=State.CANCELLED)
    assert "all of them over" in boss.get(f"{LIST}{desk.pk}/delete/").text


def test_a_space_with_places_can_be_hidden_instead(client, admin_user, space):
    client.force_login(admin_user)
    page = client.get(f"/admin/spaces/space/{space.pk}/delete/").text
    assert re.search(
        rf'<a href="/admin/spaces/space/{space.pk}/change/">Hide it from members instead</a>', page
    )
