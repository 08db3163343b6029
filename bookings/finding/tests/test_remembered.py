"""What a process remembers is used only while it is true: the set-up of a board, an empty list."""

import pytest
from django.test import Client

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.deciding import services
from bookings.finding.occupancy import occupancies, occupancies_and_stamp
from bookings.finding.shelf import shelf
from bookings.tests.acts import TEN, book, hours
from spaces import setups
from spaces.factories import PlaceFactory, open_space
from spaces.models import SetupStamp, Space
from spaces.slots import Period

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

DAY = Period(TEN - hours(10), TEN + hours(14))


def status_of(client, slug="loft"):
    return client.get(f"/spaces/{slug}/").status_code


class TestSetup:
    def test_a_known_board_takes_one_statement(self, client, space, django_assert_num_queries):
        assert status_of(client) == 200
        with django_assert_num_queries(1):
            assert status_of(client) == 200

    def test_a_hidden_space_is_gone_and_comes_back(self, client, space):
        assert status_of(client) == 200
        for is_active, status in ((False, 404), (True, 200)):
            Space.objects.update(is_active=is_active)
            # By another page, which the staff see also while it is hidden.
            assert setups.current(space.pk).space.is_active == is_active
            assert status_of(client) == status

    def test_an_address_that_changes_hands(self, client, space):
        assert status_of(client) == 200
        Space.objects.filter(pk=space.pk).update(slug="attic")
        assert (status_of(client, "loft"), status_of(client, "attic")) == (404, 200)
        other = open_space(slug="loft", places=0)
        PlaceFactory.create(space=other, name="The other's desk")
        assert "The other&#x27;s desk" in client.get("/spaces/loft/").content.decode()

    def test_a_deleted_space(self, client, space):
        assert status_of(client) == 200
        space.places.all().delete()
        space.delete()
        assert status_of(client) == 404

    def test_a_change_within_the_same_request_is_asked_for_once(
        self, client, space, django_assert_num_queries
    ):
        assert status_of(client) == 200
        PlaceFactory.create(space=space, name="A new one")
        with django_assert_num_queries(4):  # in vain, the stamp, the set-up, what is held
            answer = client.get("/spaces/loft/")
        assert "A new one" in answer.content.decode()

    @pytest.mark.parametrize("is_booked", [True, False])
    def test_bookings_come_with_the_stamp_of_their_moment(self, space, desk, alice, now, is_booked):
        if is_booked:
            book(desk, alice, now)
            book(desk, alice, now, TEN + hours(3))
        held, stamp = occupancies_and_stamp(space, DAY)
        assert held == occupancies(space, DAY)
        assert len(held) == 2 * is_booked
        assert stamp == setups.current(space.pk).stamp

    def test_several_stamps_are_read_as_one(self, space):
        SetupStamp.objects.create(space=space, stamp="another")
        _, stamp = occupancies_and_stamp(space, DAY)
        assert stamp == setups.current(space.pk).stamp
        assert "another" in stamp


class TestEmptyList:
    @pytest.fixture(autouse=True)
    def empty_shelf(self):
        shelf.clear()

    def test_all_who_have_nothing_share_it_but_for_their_names(self, space):
        for name in ("Ann", "Ben"):
            client = Client()
            client.force_login(UserFactory.create(name=name))
            page = client.get("/bookings/").content.decode()
            assert "You have nothing booked." in page
            assert f"</span>{name}</a>" in page
        assert (shelf.made, shelf.found) == (1, 1)

    def test_staff_languages_and_themes_have_their_own(self, space, alice, client):
        client.force_login(alice)
        plain = client.get("/bookings/").content.decode()
        alice.language = "ru"
        alice.save()
        assert "Предстоящих броней нет." in client.get("/bookings/").content.decode()
        alice.language, alice.theme = "en", "DARK"
        alice.save()
        assert 'data-theme="DARK"' in client.get("/bookings/").content.decode()
        StaffRoleFactory.create(user=alice, space=space)
        assert "/admin/" in client.get("/bookings/").content.decode()
        assert "/admin/" not in plain

    def test_it_is_gone_with_the_first_booking_and_back_without(self, client, desk, alice, soon):
        client.force_login(alice)
        empty = client.get("/bookings/")
        assert "no-store" in empty["Cache-Control"]
        booking = book(desk, alice, soon - hours(48), soon)
        assert "Loft" in client.get("/bookings/").content.decode()
        services.cancel(booking, by=alice, now=soon - hours(47))
        assert "You have nothing booked." in client.get("/bookings/").content.decode()

    def test_a_message_is_shown_once(self, client, desk, alice, soon):
        client.force_login(alice)
        client.get("/bookings/")
        url = f"/bookings/{book(desk, alice, soon - hours(48), soon).code}/cancel/"
        for _ in range(2):  # the second time in vain, which a message says
            assert client.post(url).status_code == 302
        shown = [client.get("/bookings/").content.decode() for _ in range(2)]
        assert ["data-dismiss" in page for page in shown] == [True, False]
