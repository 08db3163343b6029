"""Combined policies: the strictest wins."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.limits import Limits, PolicyValues, Quota, strictest

pytestmark = pytest.mark.any_database

amounts = st.none() | st.integers(0, 1000)
policies = st.lists(
    st.builds(
        PolicyValues,
        kind=st.sampled_from(["", "DESK", "ROOM"]),
        step_minutes=st.none() | st.integers(1, 96).map(lambda n: n * 15),
        min_minutes=amounts,
        max_minutes=amounts,
        min_notice_minutes=amounts,
        max_days_ahead=amounts,
        cancel_deadline_minutes=amounts,
        grace_minutes=amounts,
        max_upcoming=amounts,
    ),
    max_size=5,
)


def minutes(n):
    return timedelta(minutes=n)


def test_without_policies_the_defaults_hold():
    limits = strictest([], kind="DESK")
    assert limits == Limits()
    assert (limits.step, limits.min_duration) == (minutes(60), minutes(60))


def test_the_largest_minimum_and_the_smallest_maximum_win():
    some = [
        PolicyValues(step_minutes=30, max_minutes=240, min_notice_minutes=10, max_days_ahead=30),
        PolicyValues(step_minutes=15, max_minutes=120, min_notice_minutes=60, max_days_ahead=60),
        PolicyValues(cancel_deadline_minutes=120, min_minutes=45, grace_minutes=10),
        PolicyValues(grace_minutes=15),
    ]
    assert strictest(some, kind="ROOM") == Limits(
        step=minutes(30),
        min_duration=minutes(45),
        max_duration=minutes(120),
        min_notice=minutes(60),
        max_days_ahead=30,
        cancel_deadline=minutes(120),
        grace=minutes(10),
    )


@pytest.mark.parametrize(("kind", "step"), [("ROOM", 30), ("DESK", 15)])
def test_a_policy_of_one_kind_leaves_the_others_alone(kind, step):
    some = [PolicyValues(step_minutes=15), PolicyValues("ROOM", step_minutes=30)]
    assert strictest(some, kind=kind).step == minutes(step)


def test_a_step_shorter_than_the_default_is_kept():
    assert strictest([PolicyValues(step_minutes=15)], kind="DESK").step == minutes(15)


def test_no_policy_makes_a_booking_longer_than_a_day():
    assert strictest([PolicyValues(max_minutes=10_080)], kind="ROOM").max_duration == minutes(1440)


def test_the_shortest_booking_is_one_step_by_default():
    assert strictest([PolicyValues(step_minutes=30)], kind="DESK").min_duration == minutes(30)


@pytest.mark.parametrize(
    ("step", "least", "most", "shortest", "longest"),
    [
        (60, 130, 400, 180, 360),
        (60, 60, 60, 60, 60),
        (45, 0, 1440, 45, 1440),
        (15, 20, 10, 30, 0),
        (1440, 60, 600, 1440, 0),
    ],
)
def test_what_can_be_booked_is_whole_steps(step, least, most, shortest, longest):
    limits = strictest([PolicyValues("", step, least, most)], kind="DESK")
    assert (limits.shortest, limits.longest) == (minutes(shortest), minutes(longest))


def test_zero_is_a_limit():
    limits = strictest([PolicyValues(max_upcoming=0, max_days_ahead=0)], kind="DESK")
    assert limits.quotas == (Quota("", 0),)
    assert limits.max_days_ahead == 0


@given(policies, policies, st.sampled_from(["DESK", "ROOM", "TABLE"]))
def test_another_policy_never_loosens_a_limit(some, more, kind):
    # Apart from the defaults, which apply only where no policy sets a value.
    base = PolicyValues("", 15, 0, 1000, 0, 1000, 0, 1000)
    few, all_of_them = (
        strictest([base, *some], kind=kind),
        strictest([base, *some, *more], kind=kind),
    )
    assert all_of_them.step >= few.step
    assert all_of_them.min_duration >= few.min_duration
    assert all_of_them.max_duration <= few.max_duration
    assert all_of_them.min_notice >= few.min_notice
    assert all_of_them.max_days_ahead <= few.max_days_ahead
    assert all_of_them.cancel_deadline >= few.cancel_deadline
    assert all_of_them.grace <= few.grace
    assert set(all_of_them.quotas) >= set(few.quotas)
