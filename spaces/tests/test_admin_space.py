"""Setting up a space on its page in the admin."""

from datetime import time, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.models import StaffRole, User
from spaces.factories import (
    ClosureFactory,
    OpeningHoursFactory,
    PlaceFactory,
    PolicyFactory,
    SpaceFactory,
    open_space,
)
from spaces.models import Space
from spaces.tests.staff import add_url, errors, filled_in, list_url, page, sign_in, why_not

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def boss(db):
    return UserFactory(username="boss", is_superuser=True)


def queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_a_superuser_creates_a_space_with_hours_places_and_policies(client, boss):
    sign_in(client, boss)
    response = client.post(
        add_url(Space),
        {
            **filled_in(client, add_url(Space)),
            "name": "Himalaya",
            "slug": "himalaya",
            "time_zone": "Asia/Kathmandu",
            "opening_hours-0-opens_at": "09:15",
            "opening_hours-0-closes_at": "18:00",
            "opening_hours-6-opens_at": "18:00",
            "opening_hours-6-closes_at": "02:00",
            "places-0-number": "1",
            "places-0-kind": "ROOM",
            "places-0-capacity": "8",
            "policies-TOTAL_FORMS": "1",
            "policies-0-step_minutes": "30",
        },
    )
    assert response.status_code == 302, errors(response)
    space = Space.objects.get(slug="himalaya")
    assert list(map(str, space.opening_hours.order_by("weekday"))) == [
        "Monday 9:15–18:00",
        "Sunday 18:00–2:00",
    ]
    assert list(map(str, space.places.all())) == ["Room 1"]
    assert space.policies.get().step_minutes == 30


def test_a_manager_changes_the_hours(client, space, manager):
    sign_in(client, manager)
    hours = space.opening_hours.get(weekday=0)
    data = filled_in(client, page(space)) | {"opening_hours-0-closes_at": "23:45"}
    assert client.post(page(space), data).status_code == 302
    hours.refresh_from_db()
    assert (hours.opens_at, hours.closes_at) == (time(8), time(23, 45))


def test_opening_hours_may_end_at_24_00(client, space, manager):
    sign_in(client, manager)
    hours = space.opening_hours.get(weekday=0)
    data = filled_in(client, page(space)) | {"opening_hours-0-closes_at": "24:00"}
    assert client.post(page(space), data).status_code == 302
    hours.refresh_from_db()
    assert (hours.opens_at, hours.closes_at) == (time(8), time(0))


def test_an_invalid_time_is_shown_again_as_typed(client, space, manager):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {"opening_hours-0-opens_at": "24:00"}
    answer = client.post(page(space), data)
    assert "This is not a time: write it like 13:00." in answer.text
    assert '<input type="text" name="opening_hours-0-opens_at" value="24:00"' in answer.text


def test_opening_hours_are_on_quarter_hours(client, space, manager):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {"opening_hours-0-opens_at": "08:10"}
    response = client.post(page(space), data)
    assert "Choose a quarter hour" in errors(response)
    assert space.opening_hours.get(weekday=0).opens_at == time(8)


def test_the_same_hours_twice_are_explained(client, space, manager):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {
        "opening_hours-7-weekday": "0",
        "opening_hours-7-opens_at": "08:00",
        "opening_hours-7-closes_at": "09:00",
    }
    response = client.post(page(space), data)
    assert response.status_code == 200
    assert errors(response) != ""
    assert space.opening_hours.count() == 7


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("step_minutes", "50", "The step is a multiple of 15 minutes."),
        ("step_minutes", "0", "greater than or equal to 15"),
        ("step_minutes", "1455", "less than or equal to 1440"),
        ("max_minutes", "30", "can’t be shorter than the shortest"),
        ("max_upcoming", "-1", "greater than or equal to 0"),
        ("max_days_ahead", "99999999", "less than or equal to"),
    ],
)
def test_a_policy_that_makes_no_sense_is_explained(client, space, manager, field, value, message):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {
        "policies-TOTAL_FORMS": "1",
        "policies-0-step_minutes": "60",
        f"policies-0-{field}": value,
    }
    assert message in why_not(client, page(space), data)
    assert space.policies.count() == 0


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "right/UTC"])
def test_an_unknown_time_zone_is_refused(client, space, manager, zone):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {"time_zone": zone}
    assert "time_zone" in why_not(client, page(space), data)


def test_an_old_name_of_a_time_zone_is_kept(client, space, manager):
    Space.objects.update(time_zone="Etc/GMT-3")
    sign_in(client, manager)
    assert client.post(page(space), filled_in(client, page(space))).status_code == 302
    space.refresh_from_db()
    assert space.time_zone == "Etc/GMT-3"


def test_a_manager_grants_roles_by_login(client, space, manager, alice):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {
        "staff_roles-TOTAL_FORMS": "2",
        "staff_roles-1-user": " ALICE ",
        "staff_roles-1-role": "HOST",
    }
    response = client.post(page(space), data)
    assert response.status_code == 302, errors(response)
    assert space.staff_roles.get(user=alice).role == "HOST"


def test_a_manager_changes_and_takes_away_roles(client, space, manager, host):
    other = StaffRoleFactory(space=space, user__username="zoe")
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {
        "staff_roles-0-role": "MANAGER",
        "staff_roles-2-DELETE": "on",
    }
    assert client.post(page(space), data).status_code == 302
    assert space.staff_roles.get(user=host).role == "MANAGER"
    assert not StaffRole.objects.filter(pk=other.pk).exists()


def test_the_person_of_a_role_stays(client, space, manager, alice):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {"staff_roles-0-user": "alice"}
    assert client.post(page(space), data).status_code == 302
    assert space.staff_roles.get().user == manager


@pytest.mark.parametrize(
    ("login", "message"),
    [
        ("nobody", "Nobody has this login."),
        ("", "This field is required."),
        ("marat", "already exists"),
        ("a\x00b", "Null characters are not allowed."),
        ("x" * 5000, "at most 150 characters"),
    ],
)
def test_a_login_that_cannot_be_granted_a_role_is_explained(client, space, manager, login, message):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {
        "staff_roles-TOTAL_FORMS": "2",
        "staff_roles-1-user": login,
        "staff_roles-1-role": "HOST",
    }
    assert message in why_not(client, page(space), data)
    assert space.staff_roles.count() == 1


def test_one_person_twice_in_one_form_is_explained(client, space, manager, alice):
    sign_in(client, manager)
    data = filled_in(client, page(space)) | {"staff_roles-TOTAL_FORMS": "3"}
    for n in (1, 2):
        data |= {f"staff_roles-{n}-user": "alice", f"staff_roles-{n}-role": "HOST"}
    response = client.post(page(space), data)
    assert response.status_code == 200
    assert space.staff_roles.count() == 1


def test_the_page_lists_no_people_but_the_staff(client, space, manager, alice):
    sign_in(client, manager)
    text = client.get(page(space)).content.decode()
    assert "marat" in text
    assert "alice" not in text


def test_a_host_reads_and_changes_nothing(client, space, host):
    sign_in(client, host)
    response = client.get(page(space))
    assert response.status_code == 200
    assert "Monday 8:00–22:00" in response.content.decode()
    assert "/accounts/user/" not in response.content.decode()
    assert client.post(page(space), {"name": "Mine"}).status_code == 403
    space.refresh_from_db()
    assert space.name == "Loft"


def test_only_superusers_create_and_delete_spaces(client, space, manager):
    sign_in(client, manager)
    assert client.get(add_url(Space)).status_code == 403
    assert client.post(page(space, "delete"), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [space.pk], "post": "yes"}
    client.post(list_url(Space), data)
    assert Space.objects.filter(pk=space.pk).exists()


def test_a_space_with_places_is_not_deleted(client, space, boss):
    sign_in(client, boss)
    response = client.post(page(space, "delete"), {"post": "yes"})
    assert response.status_code == 200
    assert "would require deleting the following protected" in response.content.decode()
    assert Space.objects.filter(pk=space.pk).exists()


def test_a_superuser_deletes_an_empty_space(client, boss):
    space = SpaceFactory()
    OpeningHoursFactory(space=space)
    StaffRoleFactory(space=space)
    sign_in(client, boss)
    assert client.post(page(space, "delete"), {"post": "yes"}).status_code == 302
    assert not Space.objects.exists()
    assert User.objects.count() == 2


def test_the_list_says_what_is_open_today(client, boss):
    open_space(name="Round", opens_at=time(0), closes_at=time(0), time_zone="Asia/Kathmandu")
    open_space(name="Shop", opens_at=time(9), closes_at=time(18), time_zone="Asia/Kathmandu")
    open_space(name="Night", opens_at=time(18), closes_at=time(0), time_zone="Europe/Moscow")
    SpaceFactory(name="Bare")
    shut, now = open_space(name="Shut"), timezone.now()
    ClosureFactory(space=shut, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
    sign_in(client, boss)
    changelist = client.get(list_url(Space)).context["cl"]
    assert {s.name: changelist.model_admin.open_today(s) for s in changelist.result_list} == {
        "Bare": "closed",
        "Night": "18:00–0:00",
        "Round": "0:00–0:00",
        "Shop": "9:00–18:00",
        "Shut": "closed",
    }


def test_the_list_counts_places(client, space, boss):
    SpaceFactory(name="Bare")
    sign_in(client, boss)
    spaces = client.get(list_url(Space)).context["cl"].result_list
    assert {s.name: s.place_count for s in spaces} == {"Bare": 0, "Loft": 3}


@pytest.mark.parametrize("words", ["loft", "Tverskaya", "lof tver"])
def test_spaces_are_found_by_name_and_address(client, space, boss, words):
    Space.objects.update(address="Tverskaya 1")
    SpaceFactory()
    sign_in(client, boss)
    found = client.get(list_url(Space), {"q": words}).context["cl"].result_list
    assert list(found) == [space]


def test_the_list_takes_as_many_queries_for_one_space_as_for_thirty(client, space, boss):
    sign_in(client, boss)
    client.get(list_url(Space))
    one = queries(client, list_url(Space))
    for _ in range(29):
        open_space(places=1)
    client.get(list_url(Space))  # reads the set-ups of the new ones, which then are known
    assert queries(client, list_url(Space)) == one


@pytest.mark.parametrize("role", ["manager", "host"])
def test_the_page_takes_as_many_queries_for_one_row_as_for_thirty(client, space, request, role):
    group = Group.objects.create(name="students")
    PolicyFactory(space=space, group=group)
    sign_in(client, request.getfixturevalue(role))
    client.get(page(space))
    one = queries(client, page(space))
    for n in range(29):
        PolicyFactory(space=space, group=Group.objects.create(name=str(n)))
        OpeningHoursFactory(space=space, opens_at=time(n % 24, 15 if n < 24 else 30))
        StaffRoleFactory(space=space)
        PlaceFactory(space=space)
    assert queries(client, page(space)) == one
