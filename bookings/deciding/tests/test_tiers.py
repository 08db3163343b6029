"""Tiers: rules for some of a space's members, merged strictly, on every way to a booking."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.factories import TierFactory
from accounts.joining import Tier, TierMember
from accounts.models import User
from bookings.deciding import choosing, joining, member_sheets, rulings
from bookings.deciding.errors import Refused
from bookings.deciding.member_sheets import Move, Plan
from bookings.deciding.queueing import decide_next
from bookings.deciding.standing import survey
from bookings.deciding.stranding import Act
from bookings.deciding.wish import PartyWish
from bookings.models import Booking
from bookings.tests.acts import TEN, ask, book, codes, hours
from bookings.tests.programs import program
from spaces import setups
from spaces.factories import PolicyFactory, open_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def tier(space):
    return TierFactory.create(space=space, name="Part-time")


@pytest.fixture
def members(tier, alice, now):
    """Alice is in the tier; Bob isn't."""
    joining.enter(tier, [alice], by=None, now=now)
    return tier


def step_of(member, space, now):
    venue = setups.current(space.pk).venue_for(User.objects.get(pk=member.pk), now)
    return venue.limits("DESK").step


def test_a_tiers_rules_bind_its_members_and_nobody_else(members, space, desk, alice, bob, now):
    PolicyFactory.create(space=space, tier=members, max_minutes=60)
    with pytest.raises(Refused) as refused:
        book(desk, alice, now, TEN, 2)
    assert codes(refused) == ["too_long"]
    assert book(desk, bob, now, TEN, 2).occupies


def test_tier_group_and_everybody_together_the_strictest_wins(members, space, alice, bob, now):
    """Keys of groups and tiers are numbers of their own: the same one is no mix-up."""
    group = Group.objects.create(name="Students")
    alice.groups.add(group)
    bob.groups.add(Group.objects.create(pk=members.pk + 1_000_000, name="Far away"))
    PolicyFactory.create(space=space, tier=members, step_minutes=30)
    assert [step_of(who, space, now) for who in (alice, bob)] == [hours(0.5), hours(1)]
    PolicyFactory.create(space=space, group=group, step_minutes=45)
    PolicyFactory.create(space=space, step_minutes=15)
    assert [step_of(who, space, now) for who in (alice, bob)] == [hours(0.75), hours(0.25)]


def test_a_group_with_the_tiers_number_is_not_the_tier(members, space, bob, now):
    bob.groups.add(Group.objects.create(pk=members.pk, name="Same number"))
    PolicyFactory.create(space=space, tier=members, step_minutes=30)
    assert step_of(bob, space, now) == hours(1)


def test_they_come_with_the_person_and_cost_no_statement(members, space, client, alice, now):
    group = Group.objects.create(name="Students")
    alice.groups.add(group)
    assert User.objects.get(pk=alice.pk).group_ids == {group.pk, -members.pk}
    client.force_login(alice)
    path = f"/spaces/{space.slug}/"
    client.get(path)

    def statements():
        client.get(path)
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        return len(found)

    before = statements()
    PolicyFactory.create(space=space, tier=members, max_minutes=60)
    assert statements() == before


def test_entering_and_leaving_count_at_once(tier, space, alice, bob, now):
    PolicyFactory.create(space=space, tier=tier, step_minutes=30)
    assert joining.enter(tier, [alice, bob], by=None, now=now) == 2
    assert joining.enter(tier, [alice], by=None, now=now) == 0
    assert step_of(alice, space, now) == hours(0.5)
    assert joining.leave_tier(tier, alice, by=None, now=now)
    assert not joining.leave_tier(tier, alice, by=None, now=now)
    assert [step_of(who, space, now) for who in (alice, bob)] == [hours(1), hours(0.5)]


def test_nobody_enters_a_tier_that_was_deleted_meanwhile(tier, space, alice, bob, now):
    other = TierFactory.create(space=space, name="Team")
    stale = Tier.objects.get(pk=tier.pk)
    joining.delete_tier(tier, by=alice, now=now)
    assert joining.enter(stale, [alice], by=None, now=now) == 0
    assert joining.set_tiers(bob, [stale, other], among=[stale, other], by=alice, now=now)
    move = Move(alice, enters=(stale, other), leaves=())
    member_sheets.carry_out(space, Plan(moves=[move]), by=alice, now=now)
    connection.check_constraints()
    assert {each.tier_id for each in TierMember.objects.all()} == {other.pk}
    assert TierMember.objects.count() == 2


def test_what_was_booked_before_stays_and_says_so(tier, space, desk, alice, bob, now):
    PolicyFactory.create(space=space, tier=tier, max_minutes=60)
    booking = book(desk, alice, now, TEN, 2)
    joining.enter(tier, [alice, bob], by=None, now=now)
    booking.refresh_from_db()
    assert booking.occupies
    assert booking.events.latest("sequence").kind == "KEPT"
    standing = survey(Booking.objects.all(), now=now)[booking.pk]
    assert set(standing.problems) == {"too_long"}


def test_every_way_of_booking_obeys(members, space, desk, alice, host, client, soon):
    PolicyFactory.create(space=space, tier=members, max_minutes=60)
    now = datetime.now(UTC)
    with pytest.raises(Refused) as by_staff:
        book(desk, alice, now, soon, 2, by=host)
    assert codes(by_staff) == ["too_long"]
    queued = ask(desk, alice, now, soon, 2)
    assert decide_next(now=now) == 1
    queued.refresh_from_db()
    assert queued.problems == ["too_long"]
    party = PartyWish(
        space=space, member=alice, starts_at=soon, ends_at=soon + hours(2), kind="DESK"
    )
    with pytest.raises(Refused) as of_party:
        choosing.book_party(party, by=alice, now=now)
    assert codes(of_party) == ["too_long"]
    wish = {"place": desk.code, "starts_at": f"{soon:%Y-%m-%dT%H:%M}", "party_size": 1}
    wish["ends_at"] = f"{soon + hours(2):%Y-%m-%dT%H:%M}"
    client.force_login(alice)
    page = client.post("/bookings/", wish)
    assert (page.status_code, page.context["problems"][0].code) == (422, "too_long")
    board = client.get(
        f"/spaces/{space.slug}/",
        {"date": f"{soon:%Y-%m-%d}", "from": f"{soon:%H:%M}", "to": f"{soon + hours(2):%H:%M}"},
    )
    assert "The longest booking is 1 hour." in board.content.decode()
    body = {"place": str(desk.code), "starts_at": soon.isoformat(), "party_size": 1}
    body["ends_at"] = (soon + hours(2)).isoformat()
    answer = program(alice).post("/bookings", body)
    assert answer.status_code == 422
    assert [problem["code"] for problem in answer.json()["problems"]] == ["too_long"]
    rules = program(alice).get(f"/spaces/{space.slug}").json()["rules"]
    assert rules[0]["max_minutes"] == 60
    assert not Booking.objects.occupying().exists()


def test_a_preview_counts_only_the_tiers_bookings(members, space, desk, alice, bob, now):
    policy = PolicyFactory.create(space=space, tier=members, max_minutes=240)
    book(desk, alice, now, TEN, 2)
    book(desk, alice, now, TEN + timedelta(days=1), 2)
    book(desk, bob, now, TEN + hours(2), 2)

    def change():
        policy.max_minutes = 60
        policy.save()

    found = rulings.preview(space, policy, change, Act(by=None, now=now))
    assert (found.people, found.bookings, len(found.outside)) == (1, 2, 2)


def test_a_rule_is_for_a_group_or_for_a_tier(members, space):
    policy = PolicyFactory.build(
        space=space, tier=members, group=Group.objects.create(name="Students")
    )
    assert "both" in str(_wrong(policy))
    with pytest.raises(IntegrityError), transaction.atomic():
        policy.save()


def test_a_rule_cannot_be_for_a_tier_of_another_space(members):
    elsewhere = open_space(slug="elsewhere")
    assert "another space" in str(_wrong(PolicyFactory.build(space=elsewhere, tier=members)))


def _wrong(policy):
    with pytest.raises(ValidationError) as found:
        policy.full_clean()
    return found.value
