"""Who sees and changes what in the admin: roles are held per space."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.factories import StaffRoleFactory, UserFactory
from spaces.factories import PlaceFactory, open_space
from spaces.models import Place, Space
from spaces.tests.staff import add_url, errors, filled_in, list_url, page, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def other(db):
    """A space where none of our people works."""
    return open_space(name="Elsewhere", slug="elsewhere", places=2)


@pytest.fixture
def place_there(other):
    return other.places.get(number=1)


@pytest.fixture
def host_and_manager(host, other):
    """Hosts Loft, manages Elsewhere."""
    StaffRoleFactory(user=host, space=other, role="MANAGER")
    return host


@pytest.fixture(params=["host", "manager"])
def staff(request):
    return request.getfixturevalue(request.param)


def shown(client, model, **query):
    return set(client.get(list_url(model), query).context["cl"].result_list)


def test_staff_see_their_own_spaces_and_places(client, space, other, staff):
    sign_in(client, staff)
    assert shown(client, Space) == {space}
    assert shown(client, Place) == set(space.places.all())


def test_a_superuser_sees_all(client, space, other):
    sign_in(client, UserFactory(is_superuser=True))
    assert shown(client, Space) == {space, other}
    assert len(shown(client, Place)) == 5


def test_an_inactive_space_is_still_set_up(client, space, manager):
    Space.objects.update(is_active=False)
    sign_in(client, manager)
    assert shown(client, Space) == {space}


def test_rows_elsewhere_can_be_neither_read_nor_changed(client, place_there, other, staff):
    sign_in(client, staff)
    for row in (other, place_there):
        for verb in ("change", "delete", "history"):
            for ask in (client.get, client.post):
                response = ask(page(row, verb), {"post": "yes", "name": "Mine"})
                assert response.status_code in (302, 403, 404)
                assert "Elsewhere" not in response.content.decode()
    assert Place.objects.filter(pk=place_there.pk, name="").exists()


def test_filters_and_searches_do_not_reach_elsewhere(client, other, staff):
    sign_in(client, staff)
    text = client.get(list_url(Place)).content.decode()
    assert "Elsewhere" not in text
    assert other not in {place.space for place in shown(client, Place, space__id__exact=other.pk)}
    assert shown(client, Place, q="Elsewhere") == set()
    assert shown(client, Space, q="elsewhere") == set()


def test_lookups_that_would_leak_are_refused(client, staff):
    sign_in(client, staff)
    for lookup in ("space__staff_roles__user__password__startswith", "wholes__name"):
        assert client.get(list_url(Place), {lookup: "a"}).status_code == 400


def test_the_space_of_a_new_place_is_one_that_the_person_manages(client, host_and_manager, other):
    sign_in(client, host_and_manager)
    form = client.get(add_url(Place)).context["adminform"].form
    assert list(form.fields["space"].queryset) == [other]


def test_a_forged_space_is_refused(client, space, host_and_manager):
    sign_in(client, host_and_manager)
    response = client.post(
        add_url(Place), {"space": space.pk, "number": "50", "kind": "DESK", "capacity": "1"}
    )
    assert "Select a valid choice" in errors(response)
    assert not Place.objects.filter(number=50).exists()


def test_a_host_reads_places_and_changes_none(client, desk, host):
    sign_in(client, host)
    assert client.get(page(desk)).status_code == 200
    assert client.post(page(desk), {"number": "50"}).status_code == 403
    assert client.get(add_url(Place)).status_code == 403
    assert client.post(page(desk, "delete"), {"post": "yes"}).status_code == 403
    for action in ("withdraw", "delete_selected"):
        client.post(
            list_url(Place), {"action": action, "_selected_action": [desk.pk], "post": "yes"}
        )
    assert Place.objects.filter(pk=desk.pk, is_bookable=True).exists()


def test_managing_one_space_changes_nothing_in_another(client, desk, place_there, host_and_manager):
    sign_in(client, host_and_manager)
    chosen = {"_selected_action": [desk.pk, place_there.pk], "post": "yes"}
    client.post(list_url(Place), {"action": "withdraw", **chosen})
    assert [p.is_bookable for p in Place.objects.filter(pk__in=[desk.pk, place_there.pk])].count(
        False
    ) == 1
    desk.refresh_from_db()
    assert desk.is_bookable
    client.post(list_url(Place), {"action": "delete_selected", **chosen})
    assert Place.objects.filter(pk=desk.pk).exists()
    assert client.post(page(desk), {"number": "50"}).status_code == 403
    assert client.post(page(desk, "delete"), {"post": "yes"}).status_code == 403


def test_rows_of_another_space_cannot_be_smuggled_into_a_page(client, space, other, manager):
    sign_in(client, manager)
    theirs = other.opening_hours.get(weekday=0)
    data = filled_in(client, page(space))
    data |= {"opening_hours-0-id": theirs.pk, "opening_hours-0-DELETE": "on"}
    client.post(page(space), data)
    data |= {"opening_hours-0-opens_at": "09:00", "opening_hours-0-space": other.pk}
    client.post(page(space), data)
    before = theirs.opens_at
    theirs.refresh_from_db()
    assert theirs.opens_at == before


def test_members_and_visitors_are_kept_out(client, space, desk, alice):
    alice.user_permissions.set(Permission.objects.all())  # these have no effect here
    alice.is_staff = True
    alice.save()
    urls = [list_url(Space), list_url(Place), page(space), page(desk), add_url(Place)]
    assert [client.get(url).status_code for url in urls] == [302] * 5
    sign_in(client, alice)
    for url in urls:
        response = client.get(url)
        assert response.status_code in (302, 403)
        assert "Loft" not in response.content.decode()


def test_a_role_taken_away_closes_the_door(client, space, manager):
    sign_in(client, manager)
    assert client.get(page(space)).status_code == 200
    manager.staff_roles.all().delete()
    assert client.get(page(space)).status_code in (302, 403)


def test_the_front_page_offers_what_each_may_do(client, host, manager):
    def offered(person):
        sign_in(client, person)
        apps = client.get(reverse("admin:index")).context["app_list"]
        models = next(app for app in apps if app["app_label"] == "spaces")["models"]
        return {
            m["object_name"]: {verb for verb, may in m["perms"].items() if may}
            for m in models
            if m["object_name"] != "Closure"
        }

    assert offered(host) == {"Space": {"view"}, "Place": {"view"}}
    assert offered(manager) == {
        "Space": {"view", "change"},
        "Place": {"view", "add", "change", "delete"},
    }


def test_the_models_of_this_app_that_can_be_reached_are_scoped():
    from spaces.staff_admin import SpaceScopedAdmin

    registered = {
        model: admin.site.get_model_admin(model)
        for model in admin.site._registry
        if model._meta.app_label == "spaces"
    }
    assert {Space, Place} <= registered.keys()
    assert all(isinstance(a, SpaceScopedAdmin) for a in registered.values())


def test_a_place_of_another_space_is_not_revealed_by_number(client, other, manager):
    PlaceFactory(space=other, number=77)
    sign_in(client, manager)
    assert shown(client, Place, q="77") == set()
