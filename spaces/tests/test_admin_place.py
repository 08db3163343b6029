"""The places of a space in the admin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.factories import StaffRoleFactory
from bookings.tests.acts import book
from spaces import services
from spaces.factories import PlaceFactory, SpaceFactory
from spaces.models import Place
from spaces.services import set_parts
from spaces.tests.staff import add_url, errors, filled_in, list_url, page, sign_in, why_not

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def listed(client, **query):
    return {str(place) for place in client.get(list_url(Place), query).context["cl"].result_list}


def test_a_manager_adds_a_place(client, space, manager):
    sign_in(client, manager)
    response = client.post(
        add_url(Place),
        {
            "space": space.pk,
            "number": "7",
            "name": "Volga",
            "kind": "ROOM",
            "capacity": "6",
            "features": ["screen", "whiteboard"],
            "is_bookable": "on",
        },
    )
    assert response.status_code == 302, errors(response)
    place = space.places.get(number=7)
    assert (place.name, place.capacity, place.features) == ("Volga", 6, ["screen", "whiteboard"])


def test_a_manager_changes_a_place(client, desk, manager):
    sign_in(client, manager)
    data = filled_in(client, page(desk)) | {"capacity": "2", "features": ["quiet"]}
    assert client.post(page(desk), data).status_code == 302
    desk.refresh_from_db()
    assert (desk.capacity, desk.features) == (2, ["quiet"])


def test_all_features_can_be_taken_away(client, desk, manager):
    Place.objects.update(features=["quiet"])
    sign_in(client, manager)
    data = filled_in(client, page(desk))
    assert data.pop("features") == ["quiet"]
    assert client.post(page(desk), data).status_code == 302
    desk.refresh_from_db()
    assert desk.features == []


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("number", "2", "already exists"),
        ("number", "-1", "greater than or equal to 0"),
        ("number", "99999999999999999999", "less than or equal to"),
        ("capacity", "0", "greater than or equal to 1"),
        ("kind", "BED", "Select a valid choice"),
        ("features", ["jacuzzi"], "Select a valid choice"),
        ("name", "x" * 61, "at most 60 characters"),
        ("parts", ["999"], "Select a valid choice"),
    ],
)
def test_bad_input_is_explained(client, desk, manager, field, value, message):
    sign_in(client, manager)
    response = client.post(page(desk), filled_in(client, page(desk)) | {field: value})
    assert response.status_code == 200
    assert message in errors(response)


def test_the_number_stays_unique_in_a_space(client, space, manager):
    sign_in(client, manager)
    response = client.post(
        add_url(Place), {"space": space.pk, "number": "1", "kind": "DESK", "capacity": "1"}
    )
    assert "already exists" in errors(response)


def test_parts_are_chosen_from_the_same_space(client, desk, manager):
    PlaceFactory()
    sign_in(client, manager)
    parts = client.get(page(desk)).context["adminform"].form.fields["parts"]
    assert list(map(str, parts.queryset)) == ["Desk 2", "Desk 3"]


def test_a_manager_chooses_parts(client, space, desk, manager):
    others = list(space.places.exclude(pk=desk.pk).by_number())
    sign_in(client, manager)
    data = filled_in(client, page(desk)) | {"parts": [part.pk for part in others]}
    assert client.post(page(desk), data).status_code == 302
    assert list(desk.parts.by_number()) == others


def test_parts_that_make_a_cycle_are_refused(client, space, desk, manager):
    hall = space.places.get(number=2)
    set_parts(hall, [desk])
    sign_in(client, manager)
    data = filled_in(client, page(desk)) | {"parts": [hall.pk], "capacity": "9"}
    assert "part of itself" in why_not(client, page(desk), data)
    desk.refresh_from_db()
    assert (desk.capacity, desk.parts.count()) == (1, 0)


def test_parts_of_another_space_are_refused_when_forged(client, desk, manager):
    elsewhere = PlaceFactory()
    sign_in(client, manager)
    data = filled_in(client, page(desk)) | {"parts": [elsewhere.pk]}
    assert "Select a valid choice" in why_not(client, page(desk), data)
    assert desk.parts.count() == 0


def test_an_objection_to_new_parts_is_shown(client, space, desk, manager, monkeypatch):
    monkeypatch.setattr(services, "objections", [lambda place: f"{place} is in use."])
    other = space.places.get(number=2)
    sign_in(client, manager)
    data = filled_in(client, page(desk)) | {"parts": [other.pk]}
    assert "Desk 1 is in use." in why_not(client, page(desk), data)
    assert client.post(page(desk), filled_in(client, page(desk))).status_code == 302


def test_a_place_stays_in_its_space(client, space, desk, manager):
    second = SpaceFactory()
    StaffRoleFactory(user=manager, space=second, role="MANAGER")
    sign_in(client, manager)
    data = filled_in(client, page(desk)) | {"space": second.pk}
    assert client.post(page(desk), data).status_code == 302
    desk.refresh_from_db()
    assert desk.space == space


def test_places_are_withdrawn_and_offered_again(client, space, manager):
    sign_in(client, manager)
    chosen = list(space.places.filter(number__lte=2).values_list("pk", flat=True))
    client.post(list_url(Place), {"action": "withdraw", "_selected_action": chosen})
    assert space.places.bookable().count() == 1
    client.post(list_url(Place), {"action": "offer", "_selected_action": chosen})
    assert space.places.bookable().count() == 3


def test_a_manager_deletes_a_place(client, space, desk, manager):
    sign_in(client, manager)
    assert client.post(page(desk, "delete"), {"post": "yes"}).status_code == 302
    assert space.places.count() == 2


def test_a_part_of_a_composite_is_not_deleted(client, space, desk, manager):
    half, hall = PlaceFactory(space=space, number=8), PlaceFactory(space=space, number=9)
    half.parts.add(desk)
    hall.parts.add(half)
    sign_in(client, manager)
    response = client.post(page(half, "delete"), {"post": "yes"})
    assert response.context["protected"] == ["Desk 9"]
    chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [half.pk, desk.pk]}
    assert client.post(list_url(Place), chosen).context["protected"] == ["Desk 9"]
    assert set(hall.parts.all()) == {half}
    chosen["_selected_action"] = [half.pk, hall.pk]
    client.post(list_url(Place), chosen)
    assert not Place.objects.filter(number__gte=8).exists()


def test_places_are_listed_by_space_kind_and_whether_they_can_be_booked(client, space, manager):
    PlaceFactory(space=space, number=4, kind="ROOM", is_bookable=False)
    second = PlaceFactory(number=9)
    StaffRoleFactory(user=manager, space=second.space)
    sign_in(client, manager)
    assert listed(client, space__id__exact=second.space.pk) == {"Desk 9"}
    assert listed(client, kind__exact="ROOM") == {"Room 4"}
    assert listed(client, is_bookable__exact="0") == {"Room 4"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("volga", {"Volga"}),
        ("desk 3", {"Desk 3"}),
        ("loft", {"Desk 1", "Desk 2", "Desk 3", "Volga"}),
        ("4", {"Volga"}),
        ("99999999999999999999999", set()),
        ("nothing", set()),
    ],
)
def test_places_are_found_by_name_number_and_space(client, space, manager, words, found):
    PlaceFactory(space=space, number=4, name="Volga")
    sign_in(client, manager)
    assert listed(client, q=words) == found


def test_the_list_takes_as_many_queries_for_one_place_as_for_thirty(client, space, manager):
    space.places.exclude(number=1).delete()
    sign_in(client, manager)

    def queries():
        client.get(list_url(Place))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(list_url(Place)).status_code == 200
        return len(captured)

    one = queries()
    for number in range(2, 31):
        place = PlaceFactory(space=space, number=number)
        place.parts.add(space.places.get(number=1))
    assert queries() == one


def test_a_place_with_bookings_is_not_deleted(client, space, desk, manager, alice, now):
    book(desk, alice, now)
    sign_in(client, manager)
    for response in (
        client.post(page(desk, "delete"), {"post": "yes"}),
        client.post(
            list_url(Place),
            {"action": "delete_selected", "_selected_action": [desk.pk], "post": "yes"},
        ),
    ):
        assert response.status_code == 200
        assert response.context["title"] in ("Cannot delete place", "Cannot delete places")
    assert space.places.count() == 3


def test_parts_of_a_booked_place_are_asked_about(client, space, desk, manager, alice):
    now = timezone.now()
    start = (now + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    book(desk, alice, now, start)
    sign_in(client, manager)
    new = {"parts": [space.places.get(number=2).pk], "is_bookable": "on"}
    answer = client.post(page(desk), filled_in(client, page(desk)) | new)
    assert answer.status_code == 409
    assert "The place is made up of other parts now." in answer.text
    assert desk.parts.count() == 0
