"""The list of spaces: what is free now, a page at a time, and one's own next booking."""

import re
from datetime import timedelta
from html import unescape

import pytest

from bookings.deciding import services
from bookings.finding.overview import LATELY, PAGE, WHOLE
from bookings.finding.shelf import shelf
from bookings.models import BookedSlot, Booking
from bookings.tests.acts import book, hours
from spaces.factories import ClosureFactory, PlaceFactory, SpaceFactory, open_space
from spaces.models import Space
from spaces.slots import slots

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def noon(clock):
    """Let it be half past twelve, when the spaces of these tests are open."""
    clock.now = clock.now.replace(hour=12, minute=30)
    return clock


def look(client, query=""):
    """Get a page that is rendered for this request: one that was kept has no context."""
    shelf.clear()
    return client.get("/" + query)


def cards(client, query=""):
    return look(client, query).context["shown"].cards


def free(client):
    return {card.space.slug: (card.free_now, card.places) for card in cards(client)}


def hold(place, at):
    """Write what a booking that was made before leaves behind."""
    quarter = at.replace(minute=0, second=0, microsecond=0)
    booking = Booking.objects.create(
        place=place,
        guest_name="Guest",
        starts_at=quarter,
        ends_at=quarter + hours(1),
        state="CONFIRMED",
        created_at=at - hours(5),
        decided_at=at - hours(5),
    )
    BookedSlot.objects.bulk_create(
        BookedSlot(booking=booking, place=place, slot=slot) for slot in slots(booking.period)
    )
    return booking


class TestFreeNow:
    def test_what_is_taken_now_is_not(self, client, space, desk, noon):
        assert free(client) == {"loft": (3, 3)}
        hold(desk, noon.now)
        assert free(client) == {"loft": (2, 3)}
        noon.now += timedelta(minutes=30)
        assert free(client) == {"loft": (3, 3)}

    def test_what_is_given_back_is_free_at_once(self, client, desk, host, noon):
        booking = hold(desk, noon.now)
        assert free(client) == {"loft": (2, 3)}
        services.cancel(booking, by=host, now=noon.now)
        assert free(client) == {"loft": (3, 3)}

    def test_a_hall_is_free_when_all_its_parts_are(self, client, space, desk, noon):
        hall = PlaceFactory.create(space=space, number=9, kind="ROOM")
        hall.parts.set(space.places.filter(number__in=[1, 2]))
        assert free(client) == {"loft": (4, 4)}
        hold(desk, noon.now)
        assert free(client) == {"loft": (2, 4)}

    def test_a_place_that_is_closed_is_not(self, client, space, desk, noon):
        times = {"starts_at": noon.now - hours(1), "ends_at": noon.now + hours(1)}
        ClosureFactory.create(space=space, place=desk, **times)
        assert free(client) == {"loft": (2, 3)}
        noon.now += hours(2)
        assert free(client) == {"loft": (3, 3)}

    def test_a_space_that_is_closed_says_when_it_opens(self, client, space, noon):
        start = noon.now.replace(minute=0)
        ClosureFactory.create(space=space, starts_at=start, ends_at=start + hours(2))
        [card] = cards(client)
        assert (card.free_now, card.open_until, card.opens_at) == (0, None, start + hours(2))
        noon.now += hours(2)
        [card] = cards(client)
        assert (card.free_now, card.opens_at) == (3, None)

    def test_the_page_says_so_on_the_next_request(self, client, space, desk, noon):
        assert "3 of 3 places free now" in client.get("/").text
        hold(desk, noon.now)
        assert "2 of 3 places free now" in client.get("/").text
        Space.objects.update(name="Attic")
        assert "Attic" in client.get("/").text
        Space.objects.update(is_active=False)
        assert "No space is open for bookings yet." in client.get("/").text


class TestNextBooking:
    def test_it_is_on_top_for_its_member_alone(self, member, desk, alice, bob, soon, client):
        book(desk, alice, soon - hours(24), soon + hours(2))
        first = book(desk, alice, soon - hours(24), soon)
        assert first.get_absolute_url() in member.get("/").text
        client.force_login(bob)
        assert "Your next booking" not in client.get("/").text

    def test_it_is_the_one_after_when_it_is_cancelled(self, member, desk, alice, soon):
        second = book(desk, alice, soon - hours(24), soon + hours(2))
        first = book(desk, alice, soon - hours(24), soon)
        assert first.get_absolute_url() in member.get("/").text
        services.cancel(first, by=alice, now=soon - hours(24))
        assert second.get_absolute_url() in member.get("/").text


class TestPages:
    @pytest.fixture
    def many(self, db):
        """More spaces than two pages show, and than are shown at once."""
        return SpaceFactory.create_batch(2 * PAGE + 3)

    def test_an_empty_site_stands(self, client, db):
        assert client.get("/").status_code == 200

    def test_a_few_are_on_one_page_without_a_search(self, client, space):
        page = client.get("/").text
        assert "Next page" not in page
        assert 'role="search"' not in page

    def test_the_links_lead_through_all_of_them_and_back(self, client, many):
        page, seen = look(client), []
        while True:
            seen += [card.space.name for card in page.context["shown"].cards]
            link = re.search(r'rel="next" href="([^"]+)"', page.text)
            if not link:
                break
            page = look(client, unescape(link[1]))
        assert seen == sorted(space.name for space in many)
        back = re.search(r'rel="prev" href="([^"]+)"', page.text)
        assert [card.space.name for card in cards(client, unescape(back[1]))] == seen[
            PAGE : 2 * PAGE
        ]

    def test_a_dozen_is_shown_at_once_and_more_in_pages(self, client, db):
        SpaceFactory.create_batch(WHOLE)
        assert "Next page" not in client.get("/").text
        assert len(cards(client)) == WHOLE
        SpaceFactory.create()
        assert "Next page" in client.get("/").text
        assert [len(cards(client, f"?page={n}")) for n in (1, 2, 3)] == [PAGE, PAGE, 1]

    @pytest.mark.parametrize("page", ["0", "-1", "x", "99", "9" * 30, "%00", ""])
    def test_a_page_that_does_not_exist_is_the_first(self, client, many, page):
        assert look(client, f"?page={page}").context["shown"].number == 1

    @pytest.mark.parametrize(
        "query", ["Тверская", "тверская", "ТВЕРСКАЯ", "твер 7", "улица", " тверская  7 "]
    )
    def test_the_search_finds_by_name_and_address(self, client, many, query):
        wanted = SpaceFactory.create(name="Тверская", address="Улица Горького, 7")
        answer = client.get("/", {"q": query})
        assert [card.space for card in answer.context["shown"].cards] == [wanted]
        assert 'role="search"' in answer.text

    def test_pages_of_a_search_keep_it(self, client, many):
        page = client.get("/", {"q": "Space &"}).text
        assert "No space is called “Space &amp;”." in page
        link = re.search(r'rel="next" href="([^"]+)"', client.get("/", {"q": "space"}).text)
        assert unescape(link[1]) == "?q=space&page=2"

    @pytest.mark.parametrize("query", ["%00", "%", "_", "\\", "a" * 5000, "' OR 1=1", "<b>"])
    def test_strange_searches_find_nothing(self, client, many, query):
        answer = client.get("/", {"q": query})
        assert answer.status_code == 200
        assert not answer.context["shown"].cards
        assert "<b>" not in answer.text

    def test_where_one_booked_lately_comes_first(self, member, alice, many, soon):
        visited = [open_space(places=1, slug=f"z{n}", name=f"Zz {n}") for n in range(LATELY + 1)]
        for n, each in enumerate(visited):
            book(each.places.get(), alice, soon - hours(24), soon + hours(n))
        shown = look(member).context["shown"]
        assert [card.space for card in shown.lately] == visited[:0:-1]
        assert "Where you booked lately" in member.get("/").text
        for elsewhere in ("?page=2", "?q=Space"):
            assert not look(member, elsewhere).context["shown"].lately

    def test_a_space_that_was_closed_for_good_is_nowhere(self, member, alice, many, soon):
        gone = open_space(places=1, slug="gone", name="Zz")
        book(gone.places.get(), alice, soon - hours(24), soon)
        Space.objects.filter(pk=gone.pk).update(is_active=False)
        assert not look(member).context["shown"].lately

    def test_it_is_in_russian(self, client, many):
        page = client.get("/", headers={"Accept-Language": "ru"}).text
        assert "Следующая страница" in page
        assert "Next page" not in page


@pytest.mark.usefixtures("noon")
class TestCost:
    @pytest.mark.parametrize("count", [1, WHOLE, 3 * WHOLE])
    def test_the_same_queries_for_one_and_many(self, client, db, django_assert_num_queries, count):
        for n in range(count):
            open_space(places=1, slug=f"s{n}")
        client.get("/")  # their set-ups are read once
        with django_assert_num_queries(2):
            client.get("/")

    def test_not_more_for_a_member_who_has_been_somewhere(
        self, member, alice, soon, django_assert_num_queries
    ):
        for n in range(WHOLE + 1):
            space = open_space(places=1, slug=f"s{n}")
        book(space.places.get(), alice, soon - hours(24), soon)
        assert [card.space for card in look(member).context["shown"].lately] == [space]
        with django_assert_num_queries(4):  # the person, the next booking, spaces, what is taken
            assert [card.space for card in look(member).context["shown"].lately] == [space]

    def test_one_less_while_all_are_closed(self, client, db, django_assert_num_queries):
        SpaceFactory.create_batch(WHOLE)
        client.get("/")
        with django_assert_num_queries(1):
            client.get("/")
