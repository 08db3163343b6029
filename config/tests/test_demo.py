"""Demo data: what is there, for whom, and when it stays away."""

import re
from datetime import UTC, datetime
from io import StringIO
from random import Random

import pytest
from django.contrib.auth import get_user
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.urls import reverse

from accounts.factories import UserFactory
from accounts.joining import Tier
from accounts.models import StaffRole, User
from bookings.deciding.invariants import violations
from bookings.deciding.no_shows import release_unclaimed
from bookings.deciding.stranding import unfit
from bookings.finding import day
from bookings.models import Booking, BookingEvent
from bookings.states import State
from bookings.waiting import WaitingParty
from config import demo
from config.demo import setup
from config.demo.fortnight import COWORKING, Planner
from spaces import setups
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


def test_some_members_are_in_a_tier_with_a_rule_of_its_own():
    demo.create(now=NOON, days=1)
    tier = Tier.objects.get()
    assert (tier.space.slug, tier.name, tier.policies.count()) == ("tverskaya", "Residents", 1)
    assert tier.members.filter(username="member").exists()
    assert list(unfit(now=NOON)) == []


def test_some_are_refused_and_some_cancelled_for_a_reason():
    demo.create(now=NOON, days=3)
    assert states()[State.REJECTED] > 0
    assert BookingEvent.objects.filter(kind="CANCELLED").exclude(reason="").exists()


#: Monday, Friday and Sunday, in the afternoon and in the evening: both houses are open.
BUSY = [datetime(2026, 11, 23 + n, hour, 10, tzinfo=UTC) for n, hour in ((0, 14), (4, 11), (6, 14))]


@pytest.mark.parametrize("now", BUSY)
def test_both_houses_are_in_the_middle_of_their_day(now):
    demo.create(now=now, days=2)
    for space in Space.objects.all():
        setup = setups.current(space.pk)
        today = day.build(setup, setup.venue((), now).day_of(now), now=now)
        found = {line.booking.state for line in today.lines}
        assert {State.CONFIRMED, State.CHECKED_IN, State.COMPLETED} <= found
        assert {"here", "next"} <= {group.name for group in today.groups}
        assert today.free_now
        assert sum(line.booking.channel == "WALK_IN" for line in today.lines) >= 2
        assert any(line.booking.guest and line.booking.guest.note for line in today.lines)
    waiting = WaitingParty.objects.filter(space__kind="RESTAURANT", state="WAITING")
    assert sorted(waiting.values_list("party_size", flat=True)) == [2, 4]
    assert list(violations(now=now)) == []
    assert list(unfit(now=now)) == []


def test_the_restaurant_knows_a_regular_who_once_did_not_come():
    demo.create(now=BUSY[1], days=1)
    setup = setups.current("ararat")
    today = day.build(setup, BUSY[1].date(), now=BUSY[1])
    [regular] = [line for line in today.lines if line.name == "Nare Petrosyan"]
    assert (regular.known.visits, regular.known.no_shows, regular.known.is_regular) == (6, 1, True)
    guest = regular.booking.guest
    assert (guest.allergies, guest.email) == ("Walnuts", "nare@example.org")
    assert Booking.objects.filter(guest_name__startswith="Choir").get().place.name == "Tables 7 + 8"
    assert {shift.name for shift in setup.venue((), BUSY[1]).shifts} == {"Lunch", "Dinner"}


def test_what_nobody_claims_after_the_first_start_is_little():
    """The worker that starts with the site must not empty the day."""
    demo.create(now=BUSY[2], days=1)
    assert release_unclaimed(now=BUSY[2]) == 0


def test_the_screens_at_the_doors_are_shown_once(client):
    addresses = re.findall(r"/door/\S+", run(days=1))
    assert [client.get(address).status_code for address in addresses] == [200, 200]


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
