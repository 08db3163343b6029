"""Guests are forgotten: at their wish, when a member leaves, or after a time that a space sets."""

import json
from datetime import timedelta

import pytest
from django.apps import apps

from bookings.deciding import links, services
from bookings.deciding.details import Details, amend
from bookings.deciding.forgetting import forget, forget_unseen_guests
from bookings.deciding.invariants import violations
from bookings.guests import Guest
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours
from notifications.relay import fan_out
from spaces.models import Space

pytestmark = pytest.mark.django_db

ANNA = {
    "guest_name": "Anna Karenina",
    "guest_contact": "+44 20 7946 0018, anna@example.org",
    "note": "with a samovar",
}
TRACES = ("Karenina", "7946", "anna@", "samovar")


def visit(desk, host, now, starts_at=TEN, **said):
    booking = book(desk, None, now, starts_at, by=host, **ANNA | said)
    links.link_of(booking, now=now)
    return booking


def everything():
    """Return all that our tables hold, as one text."""
    ours = {"accounts", "spaces", "bookings", "notifications"}
    return json.dumps(
        [
            list(model.objects.values())
            for model in apps.get_models()
            if model._meta.app_label in ours
        ],
        default=str,
    )


def test_a_forgotten_guest_is_nowhere(desk, host, now):
    past = visit(desk, host, now)
    services.complete_past(now=TEN + hours(2))
    ahead = visit(desk, host, now, TEN + timedelta(days=1))
    corrected = Details(guest_contact="anna@example.org")
    amend(ahead, corrected, by=host, now=TEN + hours(2))
    fan_out(now=now)
    assert all(trace in everything() for trace in TRACES)

    assert forget(ahead.guest, by=host, now=TEN + hours(3)) == 1
    assert not [trace for trace in TRACES if trace in everything()]
    assert not Guest.objects.exists()
    past.refresh_from_db()
    ahead.refresh_from_db()
    assert (past.state, ahead.state) == (State.COMPLETED, State.CANCELLED)
    assert ahead.guest_name == "—"
    assert not ahead.guest_links.exists()
    assert list(violations(now=now)) == []


def test_nobody_else_is_forgotten(desk, host, now):
    mine = visit(desk, host, now)
    other = visit(desk, host, now, TEN + hours(3), guest_name="B", guest_contact="b@example.org")
    forget(mine.guest, by=host, now=now)

    other.refresh_from_db()
    assert (other.guest_name, other.note) == ("B", "with a samovar")
    assert other.guest == Guest.objects.get()


def test_twice_is_once(desk, host, now):
    guest = visit(desk, host, now).guest
    assert forget(Guest.objects.get(pk=guest.pk), by=host, now=now) == 1
    assert forget(guest, by=host, now=now) == 0


def keep_for(space, days):
    Space.objects.filter(pk=space.pk).update(guest_retention_days=days)


def forgotten(now):
    while forget_unseen_guests(now=now):
        pass
    return not [trace for trace in TRACES if trace in everything()]


def test_a_space_that_says_nothing_keeps_guests(desk, host, now):
    visit(desk, host, now)
    services.complete_past(now=TEN + hours(3))
    assert not forgotten(now + timedelta(days=3_000))


def test_guests_are_forgotten_once_they_have_not_been_seen_for_so_long(space, desk, host, now):
    keep_for(space, 30)
    visit(desk, host, now)
    visit(desk, host, now, TEN + timedelta(days=10))
    services.complete_past(now=TEN + timedelta(days=11))
    last = TEN + timedelta(days=10) + hours(2)

    assert not forgotten(last + timedelta(days=29))
    assert forgotten(last + timedelta(days=30, seconds=1))
    assert set(Booking.objects.values_list("state", flat=True)) == {"COMPLETED"}
    assert list(violations(now=now)) == []


def test_strangers_are_forgotten_too(space, desk, host, now):
    """Those without phone or e-mail have no row, only a booking that names them."""
    keep_for(space, 30)
    visit(desk, host, now, guest_contact="")
    services.complete_past(now=TEN + hours(3))

    assert not forgotten(TEN + timedelta(days=30))
    assert forgotten(TEN + timedelta(days=31))
