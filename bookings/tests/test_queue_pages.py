"""What a member sees of bookings that are not decided yet, and of those that were not booked."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.deciding.queueing import decide_next
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import ask, book, hours

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def waiting(desk, alice, soon):
    return ask(desk, alice, soon - hours(24), soon)


class TestBookings:
    def test_undecided_bookings_are_above_the_days(self, member, waiting, space, alice, soon):
        upcoming = book(space.places.get(number=2), alice, soon - hours(24), soon - hours(1))
        page = member.get("/bookings/")
        assert page.context["undecided"] == [waiting]
        assert [bookings for _, bookings in page.context["days"]] == [[upcoming]]
        assert page.text.index("Being decided") < page.text.index("Desk 2")

    def test_undecided_bookings_alone_are_not_nothing(self, member, waiting):
        assert "You have nothing booked." not in member.get("/bookings/").text

    def test_without_any_they_are_not_mentioned(self, member):
        assert "Being decided" not in member.get("/bookings/").text


class TestBooking:
    def test_an_undecided_one_polls_and_has_a_link(self, member, waiting):
        page = member.get(waiting.get_absolute_url()).text
        assert f'hx-get="{waiting.get_absolute_url()}" hx-trigger="every 2s"' in page
        assert f'<a class="button quiet" href="{waiting.get_absolute_url()}">Look again</a>' in page
        assert "/cancel/" not in page
        assert "Move" not in page

    def test_the_answer_is_empty_while_it_is_undecided(self, member, waiting):
        answer = member.get(waiting.get_absolute_url(), headers=HTMX)
        assert (answer.status_code, answer.content) == (204, b"")

    def test_once_decided_it_stops_polling(self, member, waiting, soon):
        decide_next(now=soon - hours(24))
        answer = member.get(waiting.get_absolute_url(), headers=HTMX).text
        assert answer.strip().startswith('<div id="booking">')
        assert "Desk 1 is yours." in answer
        assert "hx-trigger" not in answer
        assert "<html" not in answer

    def test_a_rejected_one_says_why_and_leads_on(self, member, desk, alice, soon):
        rejected = ask(desk, alice, soon - hours(24), soon, length=13, party_size=3)
        decide_next(now=soon - hours(24))
        page = member.get(rejected.get_absolute_url())
        assert page.context["reasons"] == [
            "The place doesn’t have room for that many people.",
            "The space is not open for all of that time.",
        ]
        assert "Find another place" in page.text
        assert "hx-trigger" not in page.text

    def test_a_rejected_one_of_an_earlier_release_has_no_reasons(
        self, member, desk, bob, alice, soon
    ):
        book(desk, bob, soon - hours(24), soon)
        rejected = book(desk, alice, soon - hours(24), soon)
        rejected.problems = []
        rejected.save()
        event = rejected.events.get()
        event.data = {
            key: value
            for key, value in event.data.items()
            if key not in ("created_at", "decided_at", "problems")
        }
        event.save()
        page = member.get(rejected.get_absolute_url())
        assert page.status_code == 200
        assert page.context["reasons"] == []

    def test_a_reason_of_a_later_release_is_its_code(self, member, waiting, soon):
        decide_next(now=soon + timedelta(days=9))
        waiting.refresh_from_db()
        waiting.problems = ["from_the_future"]
        waiting.save()
        assert member.get(waiting.get_absolute_url()).context["reasons"] == ["from_the_future"]

    def test_cancelling_an_undecided_one_says_why_not(self, member, waiting):
        answer = member.post(f"{waiting.get_absolute_url()}cancel/", follow=True)
        assert "This booking is not decided yet." in answer.text
        waiting.refresh_from_db()
        assert waiting.state == State.CREATED


@pytest.mark.parametrize("state", [State.CREATED, State.CHECKING_AVAILABILITY])
def test_the_history_finds_undecided_ones(member, waiting, state):
    waiting.state = state
    waiting.save()
    page = member.get(f"/bookings/history/?state={state}").context["page"]
    assert page.bookings == [waiting]
    page = member.get("/bookings/history/?state=CONFIRMED").context["page"]
    assert page.bookings == []


def test_recent_refusals_are_shown_among_upcoming_bookings(client, alice, bob, desk, soon):
    now = timezone.now()
    book(desk, bob, now, soon)
    refused = ask(desk, alice, now, soon)
    client.force_login(alice)
    assert "Not booked" not in client.get("/bookings/").text
    decide_next(now=timezone.now())
    page = client.get("/bookings/").text
    assert "Not booked" in page
    assert refused.get_absolute_url() in page
    assert "You have nothing booked." not in page
    Booking.objects.filter(pk=refused.pk).update(
        decided_at=now - timedelta(days=1, minutes=1), created_at=now - timedelta(days=2)
    )
    assert "Not booked" not in client.get("/bookings/").text


def test_immediate_refusals_are_not_shown_again(client, alice, bob, desk, soon):
    now = timezone.now()
    book(desk, bob, now, soon)
    book(desk, alice, now, soon)
    client.force_login(alice)
    assert "Not booked" not in client.get("/bookings/").text
