"""Set-ups that are read once and kept until they change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from spaces import setups
from spaces.factories import (
    ClosureFactory,
    OpeningHoursFactory,
    PlaceFactory,
    PolicyFactory,
    SpaceFactory,
)
from spaces.limits import PolicyValues
from spaces.models import Closure, Place, SetupStamp, Space
from spaces.slots import Hours, Period
from spaces.venue import ClosedPeriod, Venue

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def venue_of(space, *, groups=(), now=NOON):
    return setups.current(space.pk).venue(groups, now)


class TestWhatIsRead:
    def test_an_empty_space_has_an_empty_setup(self):
        space = SpaceFactory(time_zone="Asia/Kathmandu")
        assert venue_of(space) == Venue(zone=ZoneInfo("Asia/Kathmandu"), hours=())
        assert setups.current(space.pk).places == ()

    def test_a_space_is_found_by_its_key_and_by_its_slug(self):
        space = SpaceFactory(slug="loft")
        assert setups.current("loft") is setups.current(space.pk)
        assert setups.current("loft").space == space

    @pytest.mark.parametrize("unknown", [0, "nowhere"])
    def test_an_unknown_space_does_not_exist(self, unknown):
        with pytest.raises(Space.DoesNotExist):
            setups.current(unknown)
        assert setups.shown(unknown) is None

    def test_only_active_spaces_are_shown(self):
        shown, hidden = SpaceFactory(name="B"), SpaceFactory(name="C", is_active=False)
        first = SpaceFactory(name="A")
        assert setups.shown(shown.slug).space == shown
        assert setups.shown(hidden.slug) is None
        assert [
            setup.space for setup in setups.of(Space.objects.open_to_members().by_name()).values()
        ] == [
            first,
            shown,
        ]

    def test_space_and_places_are_what_the_database_has(self):
        space = SpaceFactory(reminder_hours=None, phone="+44 20 7946 0018")
        PlaceFactory(space=space, number=7, features=["window", "quiet"], plan_x=3, capacity=4)
        PlaceFactory(space=space, number=3, name="“Ж”", kind="ROOM", is_bookable=False)
        setup = setups.current(space.pk)
        assert columns(setup.space) == columns(Space.objects.get())
        assert list(map(columns, setup.places)) == [
            columns(place) for place in Place.objects.by_number()
        ]
        assert [place.number for place in setup.bookable] == [7]
        assert all(place.space is setup.space for place in setup.places)
        assert setup.place(setup.places[0].code) is setup.places[0]
        assert setup.place(PlaceFactory().code) is None

    def test_hours_come_back_as_times(self):
        space = SpaceFactory()
        OpeningHoursFactory(space=space, weekday=6, opens_at=time(18, 15), closes_at=time(0))
        assert venue_of(space).hours == (Hours(6, time(18, 15), time(0)),)

    def test_closures_come_back_as_instants_in_utc(self):
        place = PlaceFactory()
        whole = Period(NOON, NOON + timedelta(hours=1, microseconds=123_456))
        one = Period(NOON + timedelta(microseconds=1_000), NOON + timedelta(days=400))
        for period, closed in ((one, place), (whole, None)):
            ClosureFactory(
                space=place.space,
                place=closed,
                starts_at=period.starts_at.astimezone(ZoneInfo("Pacific/Apia")),
                ends_at=period.ends_at,
            )
        found = venue_of(place.space).closures
        assert found == (ClosedPeriod(None, whole), ClosedPeriod(place.pk, one))
        assert found[0].period.starts_at.tzinfo is UTC

    def test_policies_come_back_with_their_empty_limits(self):
        policy = PolicyFactory(kind="ROOM", step_minutes=30, max_upcoming=0)
        at = policy.changed_at
        only = PolicyValues("ROOM", step_minutes=30, max_upcoming=0, changed_at=at)
        assert venue_of(policy.space).policies == (only,)

    def test_parts_come_back_as_a_tree(self):
        space = SpaceFactory()
        hall, half, one, two, three = (PlaceFactory(space=space) for _ in range(5))
        half.parts.set([one, two])
        hall.parts.set([half, three])
        venue = venue_of(space)
        assert venue.leaves(hall.pk) == {one.pk, two.pk, three.pk}
        assert venue.leaves(one.pk) == {one.pk}

    def test_each_space_has_its_own_setup(self):
        mine, other = SpaceFactory(), SpaceFactory()
        for factory in (OpeningHoursFactory, ClosureFactory, PolicyFactory):
            factory(space=other)
        PlaceFactory(space=other).parts.add(PlaceFactory(space=other))
        found = setups.of(Space.objects.by_name())
        assert {*found} == {mine.pk, other.pk}
        assert found[mine.pk].venue((), NOON) == Venue(zone=ZoneInfo("UTC"), hours=())
        assert found[other.pk] is setups.current(other.pk)


class TestWhoAsksWhen:
    """A venue is never of the space alone: it depends on the member's groups, and on now."""

    @pytest.fixture
    def limited(self):
        policy = PolicyFactory(max_upcoming=1, group=Group.objects.create(name="students"))
        PolicyFactory(space=policy.space, max_upcoming=2, group=Group.objects.create(name="teams"))
        PolicyFactory(space=policy.space, max_upcoming=3)
        return policy

    def test_policies_of_a_group_bind_its_members_only(self, limited):
        student, other = (User.objects.create(username=name) for name in ("student", "other"))
        student.groups.add(limited.group)

        def seen_by(member):
            venue = setups.current(limited.space.pk).venue_for(member, NOON)
            return {policy.max_upcoming for policy in venue.policies}

        assert [seen_by(who) for who in (student, other, None)] == [{1, 3}, {3}, {3}]

    def test_joining_and_leaving_a_group_count_at_once(self, limited):
        setup = setups.current(limited.space.pk)
        member = User.objects.create(username="student")
        for change, count in ((member.groups.add, 2), (member.groups.remove, 1)):
            change(limited.group)
            assert len(setup.venue_for(member, NOON).policies) == count

    def test_groups_are_read_only_where_a_policy_is_for_one(
        self, limited, django_assert_num_queries
    ):
        member = User.objects.create(username="student")
        plain, asking = setups.current(SpaceFactory().pk), setups.current(limited.space.pk)
        with django_assert_num_queries(0):
            plain.venue_for(member, NOON)
            asking.venue_for(None, NOON)
        with django_assert_num_queries(1):
            asking.venue_for(member, NOON)

    def test_groups_without_a_policy_make_no_venue_of_their_own(self, limited):
        setup = setups.current(limited.space.pk)
        others = Group.objects.create(name="others")
        assert setup.venue([others.pk], NOON) is setup.venue((), NOON)
        assert setup.relevant([others.pk, limited.group.pk]) == {limited.group.pk}

    def test_closures_are_left_out_from_the_moment_they_end(self):
        closure = ClosureFactory(starts_at=NOON - HOUR, ends_at=NOON)
        ClosureFactory(space=closure.space, starts_at=NOON - HOUR, ends_at=NOON + HOUR)
        second = timedelta(seconds=1)
        counts = [
            len(venue_of(closure.space, now=now).closures)
            for now in (NOON, NOON - second, NOON + HOUR, NOON, NOON - 400 * HOUR)
        ]
        assert counts == [1, 2, 0, 1, 2]

    def test_one_that_asks_of_a_time_before_it_was_read_sees_what_was_then(self):
        closure = ClosureFactory(starts_at=NOON - HOUR, ends_at=NOON)
        venue_of(closure.space, now=NOON + 400 * HOUR)
        assert len(venue_of(closure.space, now=NOON - HOUR).closures) == 1


class TestWhatIsKept:
    def test_what_is_known_takes_one_statement(self, django_assert_num_queries):
        space = PlaceFactory().space
        OpeningHoursFactory(space=space)
        with django_assert_num_queries(2):
            first = setups.current(space.pk)
        with django_assert_num_queries(1):
            assert setups.current(space.slug) is first
        with django_assert_num_queries(1):
            assert setups.of(Space.objects.all()) == {space.pk: first}
        with django_assert_num_queries(1):
            assert list(setups.of(Space.objects.open_to_members().by_name()).values()) == [first]

    def test_many_are_read_in_batches(self, django_assert_num_queries, monkeypatch):
        monkeypatch.setattr(setups, "BATCH", 2)
        spaces = [SpaceFactory() for _ in range(5)]
        with django_assert_num_queries(1 + 3):
            assert {*setups.of(Space.objects.all())} == {space.pk for space in spaces}

    def test_a_change_that_is_rolled_back_leaves_nothing(self):
        place = PlaceFactory(name="before")
        before = setups.current(place.space.pk)
        with transaction.atomic():
            Place.objects.update(name="never")
            Closure.objects.create(
                space=place.space, starts_at=NOON, ends_at=NOON + HOUR, reason="never"
            )
            inside = setups.current(place.space.pk)
            assert inside.places[0].name == "never"
            assert len(inside.venue((), NOON).closures) == 1
            transaction.set_rollback(True)
        after = setups.current(place.space.pk)
        assert after.stamp == before.stamp != inside.stamp
        assert after.places[0].name == "before"
        assert after.venue((), NOON).closures == ()
        Place.objects.update(name="after")
        assert setups.current(place.space.pk).places[0].name == "after"

    def test_stamps_never_come_again(self):
        place = PlaceFactory()
        seen = []
        for number in range(30):
            with transaction.atomic():
                Place.objects.update(number=number)
                seen.append(setups.current(place.space.pk).stamp)
                transaction.set_rollback(True)
            Place.objects.update(number=number)
            seen.append(setups.current(place.space.pk).stamp)
        assert len({*seen}) == len(seen) == 60

    def test_a_change_of_one_space_leaves_the_others(self):
        mine, other = PlaceFactory(), PlaceFactory()
        kept, old = setups.current(other.space.pk), setups.current(mine.space.pk)
        Place.objects.filter(pk=mine.pk).update(name="changed")
        assert setups.current(other.space.pk) is kept
        assert setups.current(mine.space.pk) is not old

    def test_without_a_stamp_it_is_read_anew_each_time(self, django_assert_num_queries):
        space = SpaceFactory()
        SetupStamp.objects.all().delete()
        for _ in range(2):
            with django_assert_num_queries(2):
                assert setups.current(space.pk).space == space

    def test_memory_has_a_bound_and_the_latest_used_stay(
        self, monkeypatch, django_assert_num_queries
    ):
        monkeypatch.setattr(setups, "MOST_ROWS", 6)  # of which a space and its places take three
        monkeypatch.setattr(setups, "_kept", setups._Kept())
        first, second, third = (PlaceFactory(space=PlaceFactory().space).space.pk for _ in range(3))
        setups.current(first), setups.current(second), setups.current(first), setups.current(third)
        for space, statements in ((first, 1), (third, 1), (second, 2)):
            with django_assert_num_queries(statements):
                setups.current(space)
        assert setups._kept._rows == 6

    def test_a_space_larger_than_the_bound_is_kept_alone(
        self, monkeypatch, django_assert_num_queries
    ):
        monkeypatch.setattr(setups, "MOST_ROWS", 1)
        monkeypatch.setattr(setups, "_kept", setups._Kept())
        place = PlaceFactory()
        setups.current(place.space.pk)
        with django_assert_num_queries(1):
            setups.current(place.space.pk)

    def test_the_venues_of_a_setup_have_a_bound(self, monkeypatch):
        monkeypatch.setattr(setups, "MOST_VENUES", 2)
        space = SpaceFactory()
        for day in range(4):
            ClosureFactory(space=space, starts_at=NOON, ends_at=NOON + day * HOUR + HOUR)
        setup = setups.current(space.pk)
        left = [len(setup.venue((), NOON + day * HOUR).closures) for day in (0, 1, 2, 3, 4, 0)]
        assert left == [4, 3, 2, 1, 0, 4]
        assert len(setup._venues) <= 2


def columns(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
