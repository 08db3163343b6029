"""Deleting accounts in the admin: superusers only, after a confirmation."""

import pytest

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.models import User
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/admin/accounts/user/"
LEAVE = f"{LIST}leave/"


@pytest.fixture
def root(client, db):
    person = UserFactory.create(username="root", is_superuser=True)
    client.force_login(person)
    return client


@pytest.fixture
def booking(desk, alice, soon):
    return book(desk, alice, soon - hours(24), soon, note="Alice, window please")


def keys(*people):
    return {"_selected_action": [person.pk for person in people]}


def test_the_action_says_what_happens_and_asks(root, booking, alice, bob):
    answer = root.post(LIST, {"action": "delete_accounts", **keys(alice, bob)})
    assert "alice: 1 upcoming booking" in answer.text
    assert "Delete 2 accounts" in answer.text
    assert User.objects.filter(is_active=True).count() == 3


def test_bookings_are_given_back_and_the_person_is_forgotten(root, booking, alice):
    answer = root.post(LEAVE, keys(alice), follow=True)
    assert "Deleted 1 account. Cancelled 1 booking." in answer.text
    alice.refresh_from_db()
    assert (alice.is_active, alice.name) == (False, "")
    assert not User.objects.filter(username="alice").exists()
    assert Booking.objects.get().state == State.CANCELLED


def test_your_own_account_is_not_deleted_here(root):
    answer = root.post(LEAVE, keys(User.objects.get(username="root")), follow=True)
    assert "on your profile" in answer.text
    assert User.objects.get(username="root").is_active


def test_one_unknown_person_refuses_them_all(root, alice):
    for chosen in ([alice.pk, 10**9], []):
        assert root.post(LEAVE, {"_selected_action": chosen}).status_code == 404
    assert User.objects.filter(username="alice", is_active=True).exists()


@pytest.mark.parametrize("key", ["x", "-1", "9" * 30, "\x00", "٣"])
def test_invalid_keys_are_400(root, key):
    assert root.post(LEAVE, {"_selected_action": key}).status_code == 400
    assert root.get(LEAVE, {"_selected_action": key}).status_code == 400


@pytest.mark.parametrize("role", ["HOST", "MANAGER"])
def test_a_spaces_staff_delete_nobody(client, alice, role):
    client.force_login(StaffRoleFactory.create(role=role).user)
    assert client.post(LEAVE, keys(alice)).status_code == 403
    assert client.get(LEAVE, keys(alice)).status_code == 403
    assert User.objects.filter(username="alice", is_active=True).exists()


def test_members_and_visitors_neither(client, alice, bob):
    assert client.post(LEAVE, keys(alice)).status_code == 302
    client.force_login(bob)
    assert client.post(LEAVE, {"login": "alice"}, follow=True).status_code == 403
    assert User.objects.filter(username="alice", is_active=True).exists()


def test_wrong_methods_are_405(root):
    assert root.put(LEAVE).status_code == 405
    assert root.delete(LEAVE).status_code == 405


def test_asking_takes_as_many_queries_for_many_people_as_for_one(
    root, alice, django_assert_max_num_queries
):
    with django_assert_max_num_queries(10) as one:
        root.get(LEAVE, keys(alice))
    people = UserFactory.create_batch(30)
    with django_assert_max_num_queries(len(one)):
        root.get(LEAVE, keys(*people))
