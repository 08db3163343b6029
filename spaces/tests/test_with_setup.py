"""A space with its whole set-up, read in one query."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from spaces.factories import (
    ClosureFactory,
    OpeningHoursFactory,
    PlaceFactory,
    PolicyFactory,
    SpaceFactory,
)
from spaces.limits import PolicyValues
from spaces.models import Space
from spaces.setup_rows import SOME_MEMBER, SOME_TIME, compose
from spaces.slots import Hours, Period
from spaces.venue import ClosedPeriod, Venue

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def load(space, *, member=None, since=NOON):
    return Venue.of(Space.objects.with_setup(since=since, member=member).get(pk=space.pk))


def test_an_empty_space_has_an_empty_setup():
    space = SpaceFactory(time_zone="Asia/Kathmandu")
    assert load(space) == Venue(zone=ZoneInfo("Asia/Kathmandu"), hours=())


def test_everything_is_read_in_one_query(django_assert_num_queries):
    space = SpaceFactory()
    for factory in (OpeningHoursFactory, ClosureFactory, PolicyFactory, PlaceFactory):
        factory(space=space)
    with django_assert_num_queries(1):
        load(space, since=NOON - timedelta(days=1))


def test_hours_come_back_as_times():
    space = SpaceFactory()
    OpeningHoursFactory(space=space, weekday=6, opens_at=time(18, 15), closes_at=time(0))
    assert load(space).hours == (Hours(6, time(18, 15), time(0)),)


def test_closures_come_back_as_instants_in_utc():
    place = PlaceFactory()
    whole = Period(NOON, NOON + timedelta(hours=1, microseconds=123_456))
    one = Period(NOON + timedelta(microseconds=1_000), NOON + timedelta(days=400))
    ClosureFactory(space=place.space, starts_at=whole.starts_at, ends_at=whole.ends_at)
    ClosureFactory(space=place.space, place=place, starts_at=one.starts_at, ends_at=one.ends_at)
    assert set(load(place.space).closures) == {
        ClosedPeriod(None, whole),
        ClosedPeriod(place.pk, one),
    }
    assert load(place.space).closures[0].period.starts_at.tzinfo is UTC


def test_closures_given_in_another_zone_are_the_same_instants():
    apia = ZoneInfo("Pacific/Apia")
    closure = ClosureFactory(starts_at=NOON.astimezone(apia))
    assert load(closure.space).closures[0].period.starts_at == NOON


@pytest.mark.parametrize(("ends_after", "count"), [(timedelta(0), 0), (timedelta(minutes=15), 1)])
def test_closures_that_have_ended_are_left_out(ends_after, count):
    closure = ClosureFactory(starts_at=NOON - timedelta(hours=1), ends_at=NOON + ends_after)
    assert len(load(closure.space).closures) == count


def test_policies_come_back_with_their_empty_limits():
    policy = PolicyFactory(kind="ROOM", step_minutes=30, max_upcoming=0)
    assert load(policy.space).policies == (PolicyValues("ROOM", step_minutes=30, max_upcoming=0),)


def test_policies_of_a_group_bind_its_members_only():
    policy = PolicyFactory(max_upcoming=1, group=Group.objects.create(name="students"))
    PolicyFactory(space=policy.space, max_upcoming=2, group=Group.objects.create(name="teams"))
    PolicyFactory(space=policy.space, max_upcoming=3)
    student, other = (User.objects.create(username=name) for name in ("student", "other"))
    student.groups.add(policy.group)

    def seen_by(member):
        return {p.max_upcoming for p in load(policy.space, member=member).policies}

    assert seen_by(student) == {1, 3}
    assert seen_by(other) == {3}
    assert seen_by(None) == {3}


def test_parts_come_back_as_a_tree():
    space = SpaceFactory()
    hall, half, one, two, three = (PlaceFactory(space=space) for _ in range(5))
    half.parts.set([one, two])
    hall.parts.set([half, three])
    venue = load(space)
    assert venue.leaves(hall.pk) == {one.pk, two.pk, three.pk}
    assert venue.leaves(one.pk) == {one.pk}


def test_each_space_has_its_own_setup():
    mine, other = SpaceFactory(), SpaceFactory()
    for factory in (OpeningHoursFactory, ClosureFactory, PolicyFactory):
        factory(space=other)
    PlaceFactory(space=other).parts.add(PlaceFactory(space=other))
    assert load(mine) == Venue(zone=ZoneInfo("UTC"), hours=())


@pytest.mark.parametrize("is_member", [True, False])
def test_composed_once_it_says_what_composing_anew_does(is_member):
    group = Group.objects.create(name="students")
    member = User.objects.create(username="student")
    member.groups.add(group)
    hall = PlaceFactory(space__slug="loft")
    hall.parts.add(PlaceFactory(space=hall.space))
    OpeningHoursFactory(space=hall.space)
    PolicyFactory(space=hall.space, group=group)
    ClosureFactory(space=hall.space, starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    asks = member if is_member else None
    for since in (NOON, NOON + timedelta(hours=2)):
        anew = compose(Space, since=since, member=member.pk if is_member else None)
        plain = Venue.of(Space.objects.annotate(**anew).get())
        assert load(hall.space, since=since, member=asks) == plain


def test_what_it_is_composed_with_is_never_asked_for(django_assert_num_queries):
    member = User.objects.create(username="student")
    with django_assert_num_queries(1) as queries:
        list(Space.objects.with_setup(since=NOON, member=member))
    asked = queries.captured_queries[0]["sql"]
    assert "2026-11-25" in asked
    assert str(SOME_TIME.date()) not in asked
    assert f"= {SOME_MEMBER}" not in asked
