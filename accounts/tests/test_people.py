"""Whoever sends a request comes in one statement, with what pages need, and only where asked."""

from contextlib import closing
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session as SessionOfDjango
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import people
from accounts.factories import StaffRoleFactory
from accounts.middleware import SignedIn
from accounts.models import Session, User
from accounts.sessions import SessionStore
from accounts.tests.programs import issue, program
from accounts.tokens import find
from bookings.deciding import services
from bookings.tests.acts import book, hours

pytestmark = pytest.mark.django_db

ABOUT_PEOPLE = ("django_session", "accounts_user")
PAGE = "/nowhere/"  # shows the navigation, and nothing from the database


def key_of(client):
    return client.cookies["sessionid"].value


def person(client):
    """Return who a request of this browser is from."""
    request = RequestFactory().get("/")
    request.session = SessionStore(key_of(client))
    SignedIn(lambda request: None).process_request(request)
    assert request.user.is_authenticated in {True, False}  # asked lazily: now
    return request.user


def forget_whose(client):
    """Make it a session that a process of the previous release opened."""
    assert Session.objects.filter(pk=key_of(client)).update(user=None) == 1


def asked(do):
    """Return the statements about sessions and people."""
    with CaptureQueriesContext(connection) as ran:
        do()
    statements = [query["sql"] for query in ran]
    return [sql for sql in statements if any(table in sql for table in ABOUT_PEOPLE)]


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


def by_session(alice):
    client = Client()
    client.force_login(alice)
    return person(client)


def by_older_session(alice):
    client = Client()
    client.force_login(alice)
    forget_whose(client)
    return person(client)


def by_token(alice):
    return find(issue(alice)[1], now=timezone.now()).user


@pytest.fixture(params=[by_session, by_older_session, by_token])
def load(request, alice):
    return lambda: request.param(alice)


# --- What comes


def test_newcomers_have_nothing(load):
    alice = load()
    assert (alice.upcoming_count, alice.newest_booking) == (0, 0)
    assert (alice.is_space_staff, alice.group_ids) == (False, frozenset())


def test_what_pages_need_comes_with_the_row(load, alice, bob, space, desk, soon):
    mine = book(desk, alice, soon - hours(24), soon)
    book(desk, bob, soon - hours(24), soon + hours(5))
    groups = [Group.objects.create(name=name) for name in ("Residents", "Trial", "Others")]
    alice.groups.set(groups[:2])
    bob.groups.add(groups[2])
    StaffRoleFactory.create(user=alice, space=space)
    found = load()
    with CaptureQueriesContext(connection) as later:
        assert (found.upcoming_count, found.newest_booking) == (1, mine.pk)
        assert found.group_ids == {group.pk for group in groups[:2]}
        assert found.is_space_staff
    assert len(later) == 0


def test_every_request_of_a_booking_is_newer_than_the_one_before(load, alice, desk, soon):
    """Whatever becomes of them: a page that is kept by this is not shown again."""
    found = [load().newest_booking]
    booking = book(desk, alice, soon - hours(24), soon)
    found.append(load().newest_booking)
    services.cancel(booking, by=alice, now=soon - hours(23))
    assert load().newest_booking == found[-1]
    for _lost in range(2):  # the second loses to the first
        book(desk, alice, soon - hours(22), soon)
        found.append(load().newest_booking)
    assert found == sorted(set(found))


def test_groups_are_read_for_a_person_who_came_otherwise(alice):
    group = Group.objects.create(name="Residents")
    alice.groups.add(group)
    assert User.objects.get(pk=alice.pk).group_ids == {group.pk}


def test_each_app_says_what_goes_with_a_person():
    assert set(people.ALSO) == {
        "is_space_manager",
        "is_space_staff",
        "newest_booking",
        "upcoming_count",
    }
    assert set(people.ALSO) <= set(User.__annotations__)


# --- In one statement


def test_session_and_person_are_one_statement(member):
    for _again in range(2):
        assert len(asked(lambda: member.get(PAGE))) == 1


def test_a_session_from_an_earlier_release_still_works_and_takes_two(member):
    forget_whose(member)
    assert len(asked(lambda: member.get(PAGE))) == 2
    assert member.get("/accounts/profile/").status_code == 200


def test_a_session_from_an_earlier_release_learns_whose_it_is_when_it_is_saved(member, alice):
    forget_whose(member)
    session = member.session
    session["anything"] = 1
    session.save()
    assert Session.objects.get().user == alice


def test_visitors_sessions_belong_to_nobody(client):
    session = client.session
    session["anything"] = 1
    session.save()
    assert Session.objects.get().user is None
    client.cookies["sessionid"] = session.session_key
    assert len(asked(lambda: client.get(PAGE))) == 1
    assert not person(client).is_authenticated


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/style.css"])
def test_nobody_is_looked_up_where_nobody_looks(alice, path, settings, tmp_path):
    (tmp_path / "style.css").touch()
    settings.STATIC_ROOT = tmp_path
    member = Client()  # with the middleware of these settings
    member.force_login(alice)

    def get():
        with closing(member.get(path)) as answer:
            assert answer.status_code == 200

    assert asked(get) == []


def test_a_program_with_a_token_is_one_statement_whatever_its_session(alice, bob):
    api = program(issue(alice)[1])
    api.force_login(bob)
    api.get("/api/v1/bookings")  # notes that the token was used
    statements = asked(lambda: api.get("/api/v1/bookings"))
    assert not any("django_session" in sql for sql in statements)
    assert sum("accounts_apitoken" in sql for sql in statements) == 1


def test_a_wrong_token_is_not_replaced_by_a_session(alice):
    api = program("mesto_wrong")
    api.force_login(alice)
    for path in ("/api/v1/bookings", "/api/v1/spaces", "/api/v1/nothing"):
        assert api.get(path).status_code in {401, 404}


# --- Who is signed in stays exact


def changed_password(alice):
    alice.set_password("another good one")
    alice.save()


def changed_name(alice):
    User.objects.filter(pk=alice.pk).update(name="Alice A.")


ENDS = {
    "closed": lambda alice: User.objects.filter(pk=alice.pk).update(is_active=False),
    "another password": changed_password,
    "deleted": lambda alice: User.objects.filter(pk=alice.pk).delete(),
    "session deleted": lambda alice: SessionOfDjango.objects.all().delete(),
    "session over": lambda alice: SessionOfDjango.objects.update(
        expire_date=timezone.now() - timedelta(seconds=1)
    ),
    "session of another key": lambda alice: Session.objects.update(session_data="nonsense"),
}


@pytest.mark.parametrize("is_older", [False, True])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_session_ends_at_once(member, alice, end, is_older):
    if is_older:
        forget_whose(member)
    assert person(member) == alice
    end(alice)
    assert not person(member).is_authenticated
    assert member.get("/accounts/profile/").status_code == 302


@pytest.mark.parametrize("is_older", [False, True])
def test_rights_and_names_are_those_of_this_moment(member, alice, space, is_older):
    if is_older:
        forget_whose(member)
    assert not person(member).is_space_staff
    role = StaffRoleFactory.create(user=alice, space=space)
    changed_name(alice)
    found = person(member)
    assert (found.is_space_staff, found.name) == (True, "Alice A.")
    role.delete()
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    found = person(member)
    assert (found.is_space_staff, found.is_superuser) == (False, True)


@pytest.mark.parametrize("column", ["nobody", "somebody else", "somebody who is gone"])
def test_the_column_alone_signs_nobody_in(member, client, alice, bob, column):
    """What the session holds is signed, and decides; the column says where to look."""
    whose = {"nobody": None, "somebody else": bob.pk, "somebody who is gone": 10**9}
    Session.objects.update(user=whose[column])
    assert person(member) == alice
    visitor = Client()
    session = visitor.session
    session["anything"] = 1
    session.save()
    visitor.cookies["sessionid"] = session.session_key
    Session.objects.filter(pk=session.session_key).update(user=bob)
    assert not person(visitor).is_authenticated


def test_signing_in_as_another_leads_to_the_other(member, alice, bob):
    member.force_login(bob)
    assert Session.objects.get().user == bob
    assert person(member) == bob


def test_signing_out_leaves_no_row(member):
    member.post("/accounts/logout/")
    assert not Session.objects.exists()


def test_a_session_is_one_row_for_the_previous_release_too(member, alice):
    """Both releases run for a while, and one may be put back."""
    row = SessionOfDjango.objects.get()
    assert row.get_decoded()["_auth_user_id"] == str(alice.pk)
    row.save()
    assert person(member) == alice
