"""Invitations and roles leave a trail: who, whom, when; on the staff's page and in the admin."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import invitations, services, trail
from accounts.factories import StaffRoleFactory, TierFactory, UserFactory
from accounts.joining import Invitation, TeamEvent
from accounts.models import StaffRole
from bookings.staff.trail import trail_in_words
from spaces.factories import open_space
from spaces.tests.staff import filled_in

pytestmark = pytest.mark.django_db

PEOPLE = "/staff/loft/people/"


@pytest.fixture
def desk_of(manager):
    manager.name = "Mona"
    manager.save()
    return browser(manager)


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def told(space):
    return [words for _at, words in trail_in_words(space)][::-1]


def test_everything_that_happens_to_the_staff_is_told(desk_of, space, alice, bob):
    tier = TierFactory.create(space=space, name="Residents")
    desk_of.post(PEOPLE, {"email": "alice@example.org", "role": "HOST"})
    staff = Invitation.objects.get()
    desk_of.post(f"{PEOPLE}invitation/", {"code": staff.code, "act": "resend"})
    staff.refresh_from_db()
    browser(alice).post(f"/join/{invitations.key_of(staff)}/")
    desk_of.post(f"{PEOPLE}role/", {"login": "alice", "role": "MANAGER"})
    desk_of.post(f"{PEOPLE}role/", {"login": "alice", "role": ""})
    desk_of.post("/staff/loft/members/", {"email": "bob@example.org", "tier": tier.code})
    member = Invitation.objects.get()
    desk_of.post(f"{PEOPLE}invitation/", {"code": member.code, "act": "revoke"})
    desk_of.post(f"{PEOPLE}invitation/", {"code": member.code, "act": "revoke"})
    assert told(space) == [
        "Mona invited alice@example.org (host).",
        "Mona invited alice@example.org (host).",
        "alice accepted the invitation to alice@example.org (host).",
        "Mona gave alice a role: manager.",
        "Mona took alice off the staff.",
        "Mona invited bob@example.org (member, Residents).",
        "Mona revoked the invitation to bob@example.org (member, Residents).",
    ]
    page = desk_of.get(PEOPLE).text
    assert "What happened" in page
    assert "Mona took alice off the staff." in page


def test_a_refused_change_leaves_none(desk_of, space, manager):
    desk_of.post(f"{PEOPLE}role/", {"login": manager.username, "role": "HOST"})
    assert told(space) == []


def test_roles_given_in_the_admin_are_told_too(space, alice):
    boss = UserFactory.create(username="boss", is_superuser=True)
    admin = browser(boss)
    address = f"/admin/spaces/space/{space.pk}/change/"
    held = StaffRoleFactory.create(user=alice, space=space)
    given = {"staff_roles-0-role": "MANAGER"}
    assert admin.post(address, filled_in(admin, address) | given).status_code == 302
    taken = {"staff_roles-0-DELETE": "on"}
    assert admin.post(address, filled_in(admin, address) | taken).status_code == 302
    assert not StaffRole.objects.filter(pk=held.pk).exists()
    person = f"/admin/accounts/user/{alice.pk}/change/"
    sent = filled_in(admin, person) | {
        "staff_roles-TOTAL_FORMS": "1",
        "staff_roles-0-space": space.pk,
        "staff_roles-0-role": "HOST",
    }
    assert admin.post(person, sent).status_code == 302
    assert told(space) == [
        "boss gave alice a role: manager.",
        "boss took alice off the staff.",
        "boss gave alice a role: host.",
    ]


def test_other_spaces_see_nothing_of_it(desk_of, space, now):
    attic = open_space(slug="attic")
    invitations.invite("a@example.org", role="HOST", space=attic, by=None, now=now)
    assert told(space) == []
    assert told(attic) == ["Somebody at the server invited a@example.org (host)."]
    assert "a@example.org" not in desk_of.get(PEOPLE).text


def test_addresses_are_forgotten_with_their_owner_and_after_a_year(space, alice, now):
    alice.email = "alice@example.org"
    alice.save()
    invitations.invite("Alice@example.org", role="HOST", space=space, by=None, now=now)
    services.erase(alice, now=now)
    assert TeamEvent.objects.get().email == ""
    invitations.invite("b@example.org", role="HOST", space=space, by=None, now=now)
    assert trail.forget_addresses(now=now + timedelta(days=365)) == 0
    assert invitations.forget_expired(now=now + timedelta(days=367)) == 1  # hers is gone already
    assert not TeamEvent.objects.exclude(email="").exists()
    assert told(space)[1] == "Somebody at the server invited an address that is forgotten (host)."


def test_leaving_the_site_is_leaving_the_tiers(space, alice):
    tier = TierFactory.create(space=space)
    tier.members.add(alice)
    services.erase(alice, now=timezone.now())
    assert not tier.memberships.exists()
