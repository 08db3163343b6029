"""Managers group, invite and limit the members of their space, and nobody else's."""

import pytest
from django.test import Client

from accounts import invitations
from accounts.factories import TierFactory, UserFactory
from accounts.joining import Invitation, Tier, TierMember
from bookings.models import BookingEvent
from bookings.staff.tests.test_members_file import at_the_last_moment
from bookings.tests.acts import book, hours
from spaces.factories import PolicyFactory, open_space
from spaces.models import Policy

pytestmark = pytest.mark.django_db

MEMBERS = "/staff/loft/members/"


@pytest.fixture
def desk_of(manager):
    client = Client()
    client.force_login(manager)
    return client


@pytest.fixture
def tier(space):
    return TierFactory.create(space=space, name="Part-time")


def put(tier, *people):
    for person in people:
        TierMember.objects.create(tier=tier, user=person)


def names_of(person):
    return sorted(person.tiers.values_list("name", flat=True))


def test_a_tier_is_made_renamed_and_deleted(desk_of, space, alice, now):
    page = desk_of.post(f"{MEMBERS}tiers/", {"name": "Residents"}, follow=True)
    assert "The tier “Residents” is made." in page.text
    tier = Tier.objects.get(space=space)
    address = f"{MEMBERS}tiers/{tier.code}/"
    assert desk_of.post(address, {"name": "Locals"})["Location"] == MEMBERS
    put(tier, alice)
    PolicyFactory.create(space=space, tier=tier, max_minutes=60)
    PolicyFactory.create(space=space, max_minutes=240)
    invitations.invite("a@example.org", role="MEMBER", space=space, tier=tier, by=None, now=now)
    asked = desk_of.post(address, {"ask": "1"})
    for words in ("Its 1 member stays a member", "1 rule goes with it", "1 open invitation ends"):
        assert words in asked.text
    assert "Members of “Locals” may book up to 1 h at a time." in asked.text
    assert Tier.objects.exists()
    desk_of.post(address, {"delete": "1"})
    assert not Tier.objects.exists()
    assert not Invitation.objects.exists()
    assert Policy.objects.get().tier is None


def test_deleting_a_tier_leaves_bookings_as_they_are(desk_of, space, tier, alice, desk, soon):
    put(tier, alice)
    PolicyFactory.create(space=space, tier=tier, step_minutes=30)
    booking = book(desk, alice, soon - hours(24), soon + hours(0.5), 1)
    desk_of.post(f"{MEMBERS}tiers/{tier.code}/", {"delete": "1"})
    booking.refresh_from_db()
    assert booking.occupies
    assert booking.events.latest("sequence").kind == BookingEvent.Kind.KEPT


@pytest.mark.parametrize("name", ["part-time", "a; b", "", "x" * 61])
def test_what_is_no_name_of_a_tier_is_refused(desk_of, tier, name):
    other = TierFactory.create(space=tier.space, name="Other")
    for address in (f"{MEMBERS}tiers/", f"{MEMBERS}tiers/{other.code}/"):
        assert desk_of.post(address, {"name": name}).status_code == 422
    assert sorted(Tier.objects.values_list("name", flat=True)) == ["Other", "Part-time"]


def test_members_are_those_in_a_tier_or_with_bookings_here(
    desk_of, tier, alice, bob, desk, soon, space
):
    put(tier, alice)
    book(desk, bob, soon - hours(24), soon)
    stranger = UserFactory.create(username="stranger", name="Somebody Else")
    elsewhere = open_space(slug="attic")
    book(elsewhere.places.first(), stranger, soon - hours(24), soon)
    put(TierFactory.create(space=elsewhere), stranger)
    page = desk_of.get(MEMBERS)
    assert [each.user.username for each in page.context["found"]] == ["alice", "bob"]
    for typed in ("stranger", "Somebody"):
        assert "Nobody here is found by that." in desk_of.get(MEMBERS, {"q": typed}).text


@pytest.mark.parametrize("typed", ["ALI", "liddell", "alice@ex", "alice liddell"])
def test_they_are_found_by_login_name_and_address(desk_of, tier, alice, bob, typed):
    alice.name, alice.email = "Alice Liddell", "alice@example.org"
    alice.email_confirmed_at = alice.date_joined
    alice.save()
    put(tier, alice, bob)
    found = desk_of.get(MEMBERS, {"q": typed}).context["found"]
    assert [each.user for each in found] == [alice]


def test_an_address_that_nobody_confirmed_is_not_shown(desk_of, tier, alice):
    alice.email, alice.email_confirmed_at = "boss@example.org", None
    alice.save()
    put(tier, alice)
    assert "boss@example.org" not in desk_of.get(MEMBERS).text
    assert not desk_of.get(MEMBERS, {"q": "boss@"}).context["found"]


def test_somebody_is_put_into_tiers_and_taken_out(desk_of, space, tier, alice):
    residents, later = (TierFactory.create(space=space, name=n) for n in ("Residents", "Later"))
    put(tier, alice)
    shown = [tier.code, residents.code]
    put(later, alice)  # which the page didn't show yet
    sent = {"login": "alice", "tier": [residents.code], "shown": shown}
    page = desk_of.post(f"{MEMBERS}person/", sent, follow=True)
    assert "alice: Residents." in page.text
    assert names_of(alice) == ["Later", "Residents"]
    desk_of.post(f"{MEMBERS}person/", {"login": "alice", "shown": shown})
    assert names_of(alice) == ["Later"]


def test_nobody_elses_member_or_tier_can_be_named(desk_of, tier, alice):
    foreign = TierFactory.create(name="Theirs")
    put(foreign, alice)
    codes = {"tier": [tier.code], "shown": [tier.code]}
    assert desk_of.post(f"{MEMBERS}person/", {"login": "alice", **codes}).status_code == 404
    put(tier, alice)
    theirs = {"tier": [foreign.code], "shown": [foreign.code]}
    assert desk_of.post(f"{MEMBERS}person/", {"login": "alice", **theirs}).status_code == 404
    assert desk_of.get(f"{MEMBERS}tiers/{foreign.code}/").status_code == 404
    assert names_of(alice) == ["Part-time", "Theirs"]


def test_an_invitation_leads_into_the_tier(desk_of, tier, bob):
    sent = {"email": "bob@example.org", "tier": tier.code}
    page = desk_of.post(MEMBERS, sent, follow=True)
    assert "An invitation is on its way to bob@example.org." in page.text
    assert page.text.count("bob@example.org") == 2 + page.text.count(", bob@example.org")
    invitation = Invitation.objects.get()
    assert (invitation.role, invitation.tier) == ("MEMBER", tier)
    client = Client()
    client.force_login(bob)
    client.post(f"/join/{invitations.key_of(invitation)}/")
    assert names_of(bob) == ["Part-time"]


def test_a_tiers_rule_begins_with_it(desk_of, tier):
    page = desk_of.get(f"/staff/loft/rules/0/?tier={tier.code}")
    assert f'<option value="{tier.pk}" selected>Part-time</option>' in page.text


def test_statements_do_not_grow_with_members(desk_of, tier, django_assert_max_num_queries):
    put(tier, *UserFactory.create_batch(60))
    with django_assert_max_num_queries(14):
        page = desk_of.get(MEMBERS)
    assert len(page.context["found"]) == 50
    assert "60 members in all: search for the others." in page.text


def test_who_may(tier, alice, host, desk_of):
    address = f"{MEMBERS}tiers/{tier.code}/"
    attic = open_space(slug="attic")
    for person, expected in ((alice, 404), (host, 403), (None, 302)):
        client = Client()
        if person:
            client.force_login(person)
        for path in (MEMBERS, address, f"{MEMBERS}members.csv", f"{MEMBERS}file/"):
            assert client.get(path).status_code == expected
        for path in (MEMBERS, address, f"{MEMBERS}tiers/", f"{MEMBERS}person/", f"{MEMBERS}file/"):
            assert client.post(path, {"name": "X", "delete": "1"}).status_code == expected
    assert desk_of.get(f"/staff/{attic.slug}/members/").status_code == 404
    assert Tier.objects.get().name == "Part-time"


def test_an_invitation_into_a_tier_that_is_deleted_at_that_moment(desk_of, tier, monkeypatch):
    other = TierFactory.create(space=tier.space, name="Other")
    at_the_last_moment(monkeypatch, tier.delete)
    page = desk_of.post(MEMBERS, {"email": "vera@example.org", "tier": tier.code})
    assert page.status_code == 422
    assert "This tier was deleted a moment ago." in page.text
    assert str(other.code) in page.text
    assert not Invitation.objects.exists()
