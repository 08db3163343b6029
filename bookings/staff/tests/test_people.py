"""Staff come by e-mail, and managers decide about those of their space alone."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.factories import PASSWORD, UserFactory
from accounts.joining import Invitation
from accounts.models import EmailLetter, StaffRole, User
from notifications.mail.sending import deliver_mail

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

PEOPLE = "/staff/loft/people/"
MAIL = "new@example.org"


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def invite(manager, role="HOST", email=MAIL):
    browser(manager).post(PEOPLE, {"email": email, "role": role})
    return Invitation.objects.get(email=email)


def link_to(invitation):
    return f"/join/{invitations.key_of(invitation)}/"


def roles(person):
    return dict(person.staff_roles.values_list("space__slug", "role"))


def test_an_invited_person_chooses_login_and_password(manager):
    link = link_to(invite(manager))
    newcomer = Client()
    page = newcomer.get(link)
    assert "Join the staff of Loft" in page.text
    assert (page["Cache-Control"].count("no-store"), page["X-Robots-Tag"]) == (1, "noindex")
    answer = newcomer.post(link, {"username": "nina", "password1": PASSWORD})
    assert answer["Location"] == "/staff/loft/"
    nina = User.objects.get(username="nina")
    assert (roles(nina), nina.email) == ({"loft": "HOST"}, MAIL)
    assert nina.email_confirmed_at is not None
    assert newcomer.get("/staff/loft/").status_code == 200
    assert Client().get(link).status_code == 404


def test_nothing_is_lost_on_the_way_in(manager, alice):
    link = link_to(invite(manager))
    answer = Client().post(link, {"username": "alice", "password1": PASSWORD})
    assert answer.status_code == 422
    assert 'value="alice"' in answer.text
    assert Client().post(link, {"username": "nina", "password1": PASSWORD}).status_code == 302


def test_whoever_has_an_account_signs_in_and_accepts(manager, alice):
    link = link_to(invite(manager, "MANAGER"))
    assert f"/accounts/login/?next={link}" in Client().get(link).text
    assert "signed in as" in browser(alice).get(link).text
    assert roles(alice) == {}
    assert browser(alice).post(link)["Location"] == "/staff/loft/"
    assert roles(alice) == {"loft": "MANAGER"}


def test_a_manager_who_is_invited_as_a_host_stays_one(manager, host):
    browser(manager).post(link_to(invite(manager, "HOST")))
    assert roles(manager) == {"loft": "MANAGER"}
    browser(host).post(link_to(invite(manager, "MANAGER")))
    assert roles(host) == {"loft": "MANAGER"}


def test_the_database_knows_no_key_and_the_letter_does(manager, mailoutbox, settings):
    invitation = invite(manager)
    key = invitations.key_of(invitation)
    assert key not in {str(value) for value in vars(invitation).values()}
    deliver_mail(now=timezone.now())
    (letter,) = mailoutbox
    assert letter.to == [MAIL]
    assert f"{settings.SITE_URL}/join/{key}/" in letter.body
    assert not deliver_mail(now=timezone.now())


def test_sending_again_ends_the_link_before(manager):
    invitation = invite(manager)
    first = link_to(invitation)
    browser(manager).post(f"{PEOPLE}invitation/", {"code": invitation.code, "act": "resend"})
    invitation.refresh_from_db()
    assert Client().get(first).status_code == 404
    assert Client().get(link_to(invitation)).status_code == 200


def test_inviting_twice_leaves_one_invitation(manager):
    first = invite(manager, "HOST")
    second = invite(manager, "MANAGER")
    assert (second.pk, second.role) == (first.pk, "MANAGER")
    browser(manager).post(PEOPLE, {"email": MAIL.upper(), "role": "HOST"})
    assert Invitation.objects.count() == 1


def test_a_revoked_or_an_old_link_opens_nothing(manager):
    invitation = invite(manager)
    browser(manager).post(f"{PEOPLE}invitation/", {"code": invitation.code, "act": "revoke"})
    assert Client().get(link_to(invitation)).status_code == 404
    invitation = invite(manager)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Client().post(link_to(invitation), {"username": "nina", "password1": PASSWORD})
    assert answer.status_code == 404
    assert not User.objects.filter(username="nina").exists()
    assert "ended on" in browser(manager).get(PEOPLE).text


def test_inviting_says_the_same_whether_somebody_has_the_address(manager):
    UserFactory.create(username="nina", email=MAIL, email_confirmed_at=timezone.now())
    said = []
    for email in (MAIL, "nobody@example.org"):
        answer = browser(manager).post(PEOPLE, {"email": email, "role": "HOST"}, follow=True)
        said.append(answer.text.replace(email, "…").split("<main")[0].split("messages")[1])
    assert said[0].split("csrf")[0] == said[1].split("csrf")[0]
    assert not EmailLetter.objects.exists()


def test_a_mailbox_is_not_flooded(manager, settings):
    settings.TRIES = {**settings.TRIES, "letter": {"login": 1}}
    invitation = invite(manager)
    answer = browser(manager).post(PEOPLE, {"email": MAIL, "role": "HOST"})
    assert (answer.status_code, MAIL in answer.text) == (429, True)
    sent = {"code": invitation.code, "act": "resend"}
    page = browser(manager).post(f"{PEOPLE}invitation/", sent, follow=True)
    assert "too often" in page.text


def test_managers_change_roles_and_remove_people(manager, host):
    desk = browser(manager)
    desk.post(f"{PEOPLE}role/", {"login": "hanna", "role": "MANAGER"})
    assert roles(host) == {"loft": "MANAGER"}
    desk.post(f"{PEOPLE}role/", {"login": "hanna", "role": ""})
    assert roles(host) == {}
    assert browser(host).get("/staff/loft/").status_code == 404


def test_the_last_manager_stays(manager, host):
    for role in ("HOST", ""):
        page = browser(manager).post(
            f"{PEOPLE}role/", {"login": "marat", "role": role}, follow=True
        )
        assert "Somebody has to manage" in page.text
    assert roles(manager) == {"loft": "MANAGER"}
    StaffRole.objects.filter(user=host).update(role="MANAGER")
    answer = browser(manager).post(f"{PEOPLE}role/", {"login": "marat", "role": ""}, follow=True)
    assert answer.status_code == 200
    assert roles(manager) == {}
