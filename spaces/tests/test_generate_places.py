"""Many numbered places at once: the service, then the page in the admin."""

import pytest
from django.urls import reverse

from accounts.factories import StaffRoleFactory
from spaces.factories import SpaceFactory
from spaces.models import Place
from spaces.services import NumbersTaken, generate_places
from spaces.tests.staff import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

DESKS = {"kind": "DESK", "first_number": "10", "count": "3", "capacity": "1", "name": ""}


def url(space):
    return reverse("admin:spaces_space_generate", args=[space.pk])


def numbers(space):
    return list(space.places.by_number().values_list("number", flat=True))


def test_numbering_continues(space):
    made = generate_places(space, kind="ROOM", first_number=10, count=3, capacity=6)
    assert [str(place) for place in made] == ["Room 10", "Room 11", "Room 12"]
    assert numbers(space) == [1, 2, 3, 10, 11, 12]


def test_each_has_its_own_code(space):
    made = generate_places(space, kind="DESK", first_number=10, count=3, capacity=1)
    assert len({place.code for place in made}) == 3


def test_names_follow_a_pattern(space):
    made = generate_places(
        space, kind="DESK", first_number=9, count=2, capacity=1, name="Window {number}"
    )
    assert [place.name for place in made] == ["Window 9", "Window 10"]


def test_braces_in_a_pattern_mean_nothing_else(space):
    [place] = generate_places(
        space, kind="DESK", first_number=9, count=1, capacity=1, name="{0.pk} {number} {x!r}"
    )
    assert place.name == "{0.pk} 9 {x!r}"


def test_all_have_the_features(space):
    made = generate_places(
        space, kind="DESK", first_number=9, count=2, capacity=1, features=["quiet", "window"]
    )
    assert all(Place.objects.get(pk=p.pk).features == ["quiet", "window"] for p in made)


def test_taken_numbers_are_named_and_nothing_is_created(space):
    with pytest.raises(NumbersTaken, match="These numbers are taken: 2, 3"):
        generate_places(space, kind="DESK", first_number=2, count=4, capacity=1)
    assert numbers(space) == [1, 2, 3]


def test_numbers_of_another_space_are_free(space):
    other = SpaceFactory()
    generate_places(other, kind="DESK", first_number=1, count=3, capacity=1)
    assert numbers(other) == [1, 2, 3]


def test_five_hundred_places_take_a_few_queries(space, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):  # batches as large as the database allows
        generate_places(space, kind="DESK", first_number=10, count=500, capacity=1)
    assert space.places.count() == 503


def test_a_manager_generates_places(client, space, manager):
    sign_in(client, manager)
    response = client.post(url(space), {**DESKS, "features": ["quiet"]}, follow=True)
    assert response.redirect_chain[0][0] == (
        reverse("admin:spaces_place_changelist") + f"?space__id__exact={space.pk}"
    )
    assert "Created 3 places." in response.content.decode()
    assert numbers(space) == [1, 2, 3, 10, 11, 12]
    assert space.places.get(number=11).features == ["quiet"]


def test_the_form_continues_the_numbers(client, space, manager):
    sign_in(client, manager)
    form = client.get(url(space)).context["form"]
    assert (form["first_number"].value(), form["kind"].value()) == (4, "DESK")


def test_a_restaurant_is_offered_tables(client, manager):
    restaurant = SpaceFactory(kind="RESTAURANT")
    StaffRoleFactory(user=manager, space=restaurant, role="MANAGER")
    sign_in(client, manager)
    form = client.get(url(restaurant)).context["form"]
    assert (form["first_number"].value(), form["kind"].value()) == (1, "TABLE")


def test_the_space_page_links_to_the_form(client, space, manager):
    sign_in(client, manager)
    page = client.get(reverse("admin:spaces_space_change", args=[space.pk])).content.decode()
    assert url(space) in page


def test_hosts_may_not(client, space, host):
    sign_in(client, host)
    assert client.get(url(space)).status_code == 403
    assert client.post(url(space), DESKS).status_code == 403
    assert (
        url(space)
        not in client.get(reverse("admin:spaces_space_change", args=[space.pk])).content.decode()
    )
    assert numbers(space) == [1, 2, 3]


def test_managers_of_another_space_find_nothing(client, space):
    stranger = StaffRoleFactory(role="MANAGER").user
    sign_in(client, stranger)
    assert client.get(url(space)).status_code == 404
    assert client.post(url(space), DESKS).status_code == 404
    assert numbers(space) == [1, 2, 3]


def test_hosts_here_who_manage_elsewhere_may_not(client, space, host):
    StaffRoleFactory(user=host, role="MANAGER")
    sign_in(client, host)
    assert client.post(url(space), DESKS).status_code == 403


def test_members_and_visitors_may_not(client, space, alice):
    assert client.post(url(space), DESKS).status_code == 302
    sign_in(client, alice)
    assert client.post(url(space), DESKS).status_code in (302, 403)
    assert numbers(space) == [1, 2, 3]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("first_number", "2", "These numbers are taken: 2, 3."),
        ("first_number", "0", "greater than or equal to 1"),
        ("first_number", "9999999999999999999999", "less than or equal to"),
        ("first_number", "x", "Write a whole number in digits, such as 4."),
        ("count", "501", "less than or equal to 500"),
        ("count", "0", "greater than or equal to 1"),
        ("count", "", "This field is required."),
        ("capacity", "0", "greater than or equal to 1"),
        ("kind", "BED", "Select a valid choice."),
        ("features", "jacuzzi", "Select a valid choice."),
        ("name", "Window", "Put {number} where the number belongs."),
        ("name", "x" * 53 + "{number}", "Ensure this value has at most 60 characters"),
        ("name", "a\x00{number}", "Null characters are not allowed."),
    ],
)
def test_bad_input_is_explained_and_creates_nothing(client, space, manager, field, value, message):
    sign_in(client, manager)
    response = client.post(url(space), {**DESKS, field: value})
    assert response.status_code == 200
    assert message in str(response.context["form"].errors)
    assert numbers(space) == [1, 2, 3]
