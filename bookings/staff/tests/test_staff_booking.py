"""Moving and editing a booking in the staff's one form: works, who may, what is refused."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.urls import reverse

from bookings.deciding import services
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory, PolicyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def staff(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def rossi(desk, host, clock, soon):
    """A guest's booking, 10–12, the day after tomorrow."""
    return book(
        desk,
        None,
        clock.now,
        starts_at=soon,
        by=host,
        guest_name="Rossi",
        guest_contact="+7 900 123-45-67",
    )


def address(booking):
    return reverse("staff_booking", args=["loft", booking.code])


def fields(booking, **changed):
    """Return what the form posts for a booking as it is, with some of it changed."""
    as_is = {
        "place": str(booking.place.code),
        "day": f"{booking.starts_at:%Y-%m-%d}",
        "starts": f"{booking.starts_at:%H:%M}",
        "ends": f"{booking.ends_at:%H:%M}",
        "party_size": booking.party_size,
        "guest_name": booking.guest_name,
        "phone": "+7 900 123-45-67",
        "email": "",
        "note": booking.note,
        "seen": booking.events.count(),
    }
    return as_is | changed


def test_everything_changes_in_one_call_with_one_event(staff, space, rossi, host):
    PlaceFactory.create(space=space, number=4, capacity=4)
    to = space.places.get(number=4)
    answer = staff.post(
        address(rossi),
        fields(
            rossi,
            place=str(to.code),
            starts="14:00",
            ends="16:00",
            party_size=4,
            guest_name="Bianchi",
            email="b@example.org",
            note="nut allergy",
        ),
    )
    assert (answer.status_code, answer.url) == (HTTPStatus.FOUND, address(rossi))
    rossi.refresh_from_db()
    assert (rossi.place, rossi.starts_at.hour, rossi.ends_at.hour) == (to, 14, 16)
    assert (rossi.party_size, rossi.guest_name, rossi.note) == (4, "Bianchi", "nut allergy")
    assert rossi.guest_contact == "+7 900 123-45-67, b@example.org"
    assert [(e.kind, e.actor) for e in rossi.events.order_by("sequence")][1:] == [("MOVED", host)]


def test_times_may_be_typed_in_short(staff, rossi):
    staff.post(address(rossi), fields(rossi, starts="14", ends="15.00"))
    assert (reread(rossi).starts_at.hour, reread(rossi).ends_at.hour) == (14, 15)


def test_the_history_shows_each_value_before_and_after(staff, rossi, space):
    to = space.places.get(number=2)
    staff.post(
        address(rossi),
        fields(rossi, place=str(to.code), starts="14:00", ends="15:00", guest_name="Bianchi"),
    )
    staff.post(address(rossi), fields(reread(rossi), note="late", phone="+7 900 765-43-21"))
    moved, amended = staff.get(address(rossi)).context["events"][1:]
    assert [(c.label, c.before, c.after) for c in moved.changes if c.label != "Time"] == [
        ("Place", "Desk 1", "Desk 2"),
        ("Guest", "Rossi", "Bianchi"),
    ]
    time = next(change for change in moved.changes if change.label == "Time")
    assert "10:00–12:00" in time.before
    assert "14:00–15:00" in time.after
    assert [(c.label, c.before, c.after) for c in amended.changes] == [
        ("Note", "", "late"),
        ("Contact", "+7 900 123-45-67", "+7 900 765-43-21"),
    ]


def test_another_party_in_the_same_place_and_time_is_a_change_and_no_move(staff, rossi, space):
    room = PlaceFactory.create(space=space, number=9, capacity=4)
    staff.post(address(rossi), fields(rossi, place=str(room.code)))
    staff.post(address(rossi), fields(reread(rossi), party_size=3))
    moved, changed = staff.get(address(rossi)).context["events"][1:]
    assert (moved.title, changed.title) == ("moved", "details changed")
    assert [(c.label, c.before, c.after) for c in changed.changes] == [("People", "1", "3")]
    assert [event.kind for event in rossi.events.order_by("sequence")][1:] == ["MOVED", "MOVED"]


def test_the_log_that_programs_read_names_no_guest(staff, rossi):
    staff.post(address(rossi), fields(rossi, guest_name="Bianchi", phone="+7 900 765-43-21"))
    event = rossi.events.latest("sequence")
    assert event.contact_before == {"guest_name": "Rossi", "guest_contact": "+7 900 123-45-67"}
    assert "Rossi" not in str(event.data)
    assert "900" not in str(event.data["note"])


def reread(booking):
    return Booking.objects.with_place().get(pk=booking.pk)


def test_saving_what_is_there_already_changes_nothing(staff, rossi):
    staff.post(address(rossi), fields(rossi))
    assert rossi.events.count() == 1
    assert reread(rossi).guest_contact == "+7 900 123-45-67"


class TestRefused:
    def test_a_clash_keeps_the_old_time_and_everything_typed(self, staff, rossi, space, bob, clock):
        taken = space.places.get(number=2)
        rival = book(taken, bob, clock.now, starts_at=rossi.starts_at + hours(4))
        answer = staff.post(
            address(rossi),
            fields(rossi, place=str(taken.code), starts="14:00", ends="16:00", note="cake at nine"),
        )
        assert answer.status_code == HTTPStatus.CONFLICT
        page = answer.content.decode()
        assert "cake at nine" in page
        assert 'value="14:00"' in page
        assert reverse("staff_booking", args=["loft", rival.code]) in page
        assert (reread(rossi).starts_at, reread(rossi).note) == (rossi.starts_at, "")
        assert rossi.events.count() == 1

    def test_an_alternative_takes_one_press_and_keeps_what_was_typed(
        self, staff, rossi, space, bob, clock
    ):
        taken = space.places.get(number=2)
        book(taken, bob, clock.now, starts_at=rossi.starts_at + hours(4))
        asked = fields(rossi, place=str(taken.code), starts="14:00", ends="16:00", note="cake")
        offers = staff.post(address(rossi), asked).context["refusal"].offers
        assert "Desk 1, 14:00–16:00" in [words for words, _value in offers]
        staff.post(address(rossi), {**asked, "instead": offers[0][1]})
        changed = reread(rossi)
        assert (changed.starts_at.hour, changed.note) == (14, "cake")

    def test_rules_are_listed_with_what_would_be_allowed(self, staff, rossi):
        answer = staff.post(address(rossi), fields(rossi, starts="23:00", ends="23:30"))
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert [p.code for p in answer.context["refusal"].problems] == ["too_short", "closed"]

    def test_what_somebody_else_changed_meanwhile_is_not_put_back(self, staff, rossi, host, clock):
        opened = fields(rossi)
        services.reschedule(
            rossi,
            place=rossi.place,
            starts_at=rossi.starts_at + hours(3),
            ends_at=rossi.ends_at + hours(3),
            by=host,
            now=clock.now,
        )
        answer = staff.post(address(rossi), {**opened, "note": "window"})
        assert answer.status_code == HTTPStatus.CONFLICT
        assert reread(rossi).starts_at == rossi.starts_at + hours(3)
        assert "window" in answer.content.decode()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"place": "nothing"},
            {"day": "tomorrow"},
            {"starts": "26:00"},
            {"ends": ""},
            {"party_size": "0"},
            {"guest_name": ""},
            {"email": "nobody"},
            {"seen": "x"},
            {"instead": "a|b|c"},
            {"starts_at": "x", "ends_at": "y"},
        ],
    )
    def test_what_cannot_be_read_changes_nothing(self, staff, rossi, wrong):
        answer = staff.post(address(rossi), fields(rossi, note="kept", **wrong))
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "kept" in answer.content.decode()
        assert rossi.events.count() == 1

    def test_a_cancelled_booking_says_so_and_has_no_form(self, staff, rossi, host, clock):
        services.cancel(rossi, by=host, now=clock.now)
        page = staff.get(address(rossi))
        assert "already cancelled" in page.content.decode()
        assert 'name="starts"' not in page.content.decode()


class TestWhatHasBegun:
    @pytest.fixture
    def running(self, desk, host, clock):
        """A guest's booking that began an hour ago and has an hour left."""
        clock.now = clock.now.replace(hour=10, minute=0, second=0) + timedelta(days=1)
        made = book(desk, None, clock.now, starts_at=clock.now, by=host, guest_name="Rossi")
        clock.now = clock.now + hours(1) + timedelta(minutes=5)
        return made

    def test_it_moves_to_another_place_as_it_sits(self, staff, running, space):
        to = space.places.get(number=3)
        staff.post(address(running), fields(running, place=str(to.code)))
        assert (reread(running).place, reread(running).starts_at) == (to, running.starts_at)

    def test_it_ends_later_or_earlier_by_quarter_hours(self, staff, running):
        for ends in ("12:45", "11:15"):
            staff.post(address(running), fields(reread(running), ends=ends))
            assert f"{reread(running).ends_at:%H:%M}" == ends

    def test_it_cannot_end_in_the_past(self, staff, running):
        answer = staff.post(address(running), fields(running, ends="11:00"))
        assert [p.code for p in answer.context["refusal"].problems] == ["in_the_past"]

    def test_a_clash_offers_as_much_as_there_is(self, staff, running, desk, bob, clock):
        book(desk, bob, clock.now, starts_at=running.ends_at + hours(1))
        answer = staff.post(address(running), fields(running, ends="14:00"))
        assert answer.status_code == HTTPStatus.CONFLICT
        assert [words for words, _value in answer.context["refusal"].offers] == [
            "Desk 1, 10:00–13:00",
            "Desk 2, 10:00–14:00",
            "Desk 3, 10:00–14:00",
        ]

    def test_a_deadline_does_not_bind_the_staff(self, staff, space, desk, alice, clock, soon):
        held = book(desk, alice, clock.now, starts_at=soon)
        PolicyFactory.create(space=space, cancel_deadline_minutes=60 * 24 * 7)
        staff.post(address(held), fields(held, starts="15:00", ends="17:00"))
        assert reread(held).starts_at.hour == 15


def test_a_member_has_no_contact_to_change(staff, desk, alice, clock, soon):
    held = book(desk, alice, clock.now, starts_at=soon)
    staff.post(address(held), fields(held, guest_name="Somebody", note="by the window"))
    assert (reread(held).guest_name, reread(held).note) == ("", "by the window")


def test_only_the_staff_of_the_space_find_it(client, rossi, alice, manager):
    answers = {}
    for who in (None, alice, manager):
        client.logout()
        if who:
            client.force_login(who)
        answers[who] = [
            client.get(address(rossi)).status_code,
            client.post(address(rossi)).status_code,
        ]
    assert answers[None] == [HTTPStatus.FOUND, HTTPStatus.FOUND]
    assert answers[alice] == [HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND]
    assert answers[manager][0] == HTTPStatus.OK


def test_other_methods_are_refused(staff, rossi):
    assert staff.delete(address(rossi)).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_dragged_block_posts_a_place_and_two_instants(staff, rossi, space):
    to = space.places.get(number=3)
    start = rossi.starts_at + hours(1)
    answer = staff.post(
        address(rossi),
        {
            "place": str(to.code),
            "starts_at": f"{start:%Y-%m-%dT%H:%M}",
            "ends_at": f"{start + hours(2):%Y-%m-%dT%H:%M}",
            "seen": 1,
            "back": "timeline",
        },
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == HTTPStatus.OK
    assert "Data-Timeline" in answer
    changed = reread(rossi)
    assert (changed.place, changed.starts_at, changed.guest_name) == (to, start, "Rossi")
    assert changed.guest_contact == "+7 900 123-45-67"
    assert (changed.state, changed.events.count()) == (State.CONFIRMED, 2)
