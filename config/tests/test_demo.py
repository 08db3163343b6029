"""Demo data: what is there, for whom, and when it stays away."""

from datetime import UTC, datetime
from io import StringIO
from random import Random

import pytest
from django.contrib.auth import get_user
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.urls import reverse

from accounts.factories import UserFactory
from accounts.models import StaffRole, User
from bookings.models import Booking, BookingEvent
from bookings.states import State
from config import demo
from config.demo import setup
from config.demo.fortnight import COWORKING, Planner
from spaces.factories import SpaceFactory
from spaces.models import Place, Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

NOON = datetime(2026, 11, 25, 9, tzinfo=UTC)  # in Moscow, a Wednesday


def run(**options):
    output = StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


def states():
    return dict(Booking.objects.values_list("state").annotate(n=Count("pk")))


def test_an_empty_database_gets_two_spaces_with_a_past_and_a_future_once():
    output = run(days=1, logins=True)

    assert min(states()[State.COMPLETED], states()[State.CONFIRMED]) > 30
    assert f"2 spaces, 61 places, 64 people, {Booking.objects.count()} bookings" in output
    assert output.count(f"password {demo.PASSWORD}") == len(demo.LOGINS)
    before = list(Booking.objects.order_by("pk").values_list())
    assert run(days=1) == ""
    assert list(Booking.objects.order_by("pk").values_list()) == before


def test_some_are_refused_and_some_cancelled_for_a_reason():
    demo.create(now=NOON, days=3)
    assert states()[State.REJECTED] > 0
    assert BookingEvent.objects.filter(kind="CANCELLED").exclude(reason="").exists()


@pytest.mark.parametrize(
    "now",
    [
        NOON,
        datetime(2026, 11, 27, 21, 30, tzinfo=UTC),  # Ararat is open, past midnight
        datetime(2026, 12, 31, 20, 59, 59, 999999, tzinfo=UTC),  # a second before the new year
    ],
)
def test_the_member_has_a_history_and_room_for_more_at_any_hour(now):
    demo.create(now=now, days=1)

    member = User.objects.get(username="member")
    upcoming = Booking.objects.of(member).upcoming(now)
    assert upcoming.in_space(Space.objects.get(slug="tverskaya")).count() == 2
    assert upcoming.in_space(Space.objects.get(slug="ararat")).count() == 1
    past = Booking.objects.of(member).exclude(pk__in=upcoming)
    assert set(past.values_list("state", flat=True)) == {State.COMPLETED, State.CANCELLED}
    assert past.filter(events__kind="MOVED").count() == 1
    assert not Booking.objects.past_due(now).exists()


def test_the_same_seed_tells_the_same_story():
    space = setup.coworking(1, NOON)
    people = setup.people(5, NOON, Random(1))

    def story(seed):
        planner = Planner(space, COWORKING, people, Random(seed), now=NOON, planned=[])
        return planner.visits(days=3, scale=1)

    assert story(1) == story(1)
    assert story(1) != story(2)


@pytest.mark.parametrize(("scale", "desks", "tables"), [(1, 33, 20), (3, 99, 60)])
def test_the_spaces_have_places_of_many_kinds_and_grow(scale, desks, tables):
    coworking, restaurant = setup.coworking(scale, NOON), setup.restaurant(scale, NOON)
    kinds = Place.objects.values_list("space", "kind").annotate(n=Count("pk"))
    assert set(kinds) == {
        (coworking.pk, "DESK", desks),
        (coworking.pk, "ROOM", 7),
        (restaurant.pk, "TABLE", tables + 1),
    }
    assert set(restaurant.places.values_list("capacity", flat=True)) == {2, 4, 6, 8, 12}
    whole = Place.objects.exclude(parts=None).annotate(n=Count("parts"))
    assert set(whole.values_list("name", "n")) == {("Volga + Neva", 2), ("Tables 7 + 8", 2)}


def test_people_have_different_names_however_many_there_are():
    people = setup.people(700, NOON, Random(1))
    assert len({person.username for person in people}) == 700
    assert all(person.name for person in people)


def staff():
    return setup.staff(setup.people(1, NOON, Random(1)), [setup.coworking(1, NOON)])


def test_everybody_can_sign_in_and_staff_run_the_spaces(client):
    staff()
    for login in demo.LOGINS:
        client.post(reverse("login"), {"username": login, "password": demo.PASSWORD})
        assert get_user(client).username == login
        client.logout()
    roles = StaffRole.objects.values_list("user__username", "role")
    assert set(roles) == {("host", "HOST"), ("manager", "MANAGER")}
    assert User.objects.get(is_superuser=True).username == "admin"


@pytest.mark.parametrize("factory", [SpaceFactory, UserFactory])
def test_nothing_is_created_in_a_database_with_spaces_or_people(factory):
    factory.create()
    assert run(logins=True) == ""
    assert (Space.objects.count(), User.objects.count()) in {(1, 0), (0, 1)}


def test_only_logins_that_work_are_printed():
    staff()
    admin = User.objects.get(username="admin")
    admin.set_password("something else")
    admin.save()

    output = run(logins=True)

    assert "admin" not in output
    assert output.count("password mesto-demo") == 3


@pytest.mark.parametrize("options", [{"days": 0}, {"scale": 0}, {"days": -1}])
def test_less_than_one_day_or_one_scale_is_refused(options):
    with pytest.raises(CommandError):
        run(**options)
    assert not Space.objects.exists()
