"""The page of a board: links, cards, escaping, and how many queries it takes."""

import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape

import pytest

from accounts.factories import UserFactory
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.words.words import day
from spaces.factories import PlaceFactory, open_space
from spaces.models import Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


class TestPage:
    def test_a_visitor_may_look(self, client, space):
        answer = client.get("/spaces/loft/")
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "private, no-cache"

    def test_htmx_gets_only_the_results(self, client, space):
        answer = client.get("/spaces/loft/", headers={"HX-Request": "true"})
        assert "<html" not in answer.text
        assert "Desk 1" in answer.text

    def test_the_title_has_the_day_and_htmx_brings_it_along(self, client, space, soon):
        address = f"/spaces/loft/?date={soon:%Y-%m-%d}&from=10:00&to=12:00"
        in_words = day(soon.date(), datetime.now(UTC).date())  # with the year, if it is another
        title = f"<title>{in_words}, 10:00–12:00 · Loft · Mesto</title>"
        assert title in client.get(address).text
        part = client.get(address, headers={"HX-Request": "true"}).text
        assert title in part
        assert f'data-day="{in_words}"' in part  # for the announcement

    def test_what_does_not_suit_is_no_link_and_says_so(self, client, space, soon):
        space.places.filter(number=2).update(capacity=4)
        page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&party=3").text
        table = page.partition("<tbody>")[2].partition("</tbody>")[0]
        suited, *others = table.split("<tr")[1:]
        assert "Desk 2" in suited
        assert "<a " in suited
        for row in others:
            assert row.startswith(' class="unsuited"')
            assert "doesn’t suit" in row
            assert "<a " not in row

    def test_a_day_that_is_past_leads_back_to_today(self, client, space):
        page = client.get("/spaces/loft/?date=2020-02-03&from=10:00&to=12:00")
        assert page.context["onward"] == page.context["today"]
        assert "Look at" in page.text

    def test_a_closed_day_says_so(self, client, space, soon):
        space.opening_hours.all().delete()
        assert "Closed on" in client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}").text

    def test_staff_take_a_picked_place_to_the_form_for_a_guest(self, client, desk, host, soon):
        query = f"date={soon:%Y-%m-%d}&from=10:00&to=12:00&place={desk.code}"
        assert "somebody else" not in client.get(f"/spaces/loft/?{query}").text
        client.force_login(host)
        page = client.get(f"/spaces/loft/?{query}").text
        address = re.search(r'href="(/admin/[^"]+)">Book it for somebody else', page)[1]
        form = client.get(unescape(address)).context["form"]
        filled = [form[name].value() for name in ("place", "day", "starts", "ends")]
        assert filled == [str(desk.code), f"{soon:%Y-%m-%d}", "10:00", "12:00"]

    @pytest.mark.parametrize("query", ["", "&place={code}", "&from=07:00&to=08:00", "&move={move}"])
    def test_names_are_written_as_text_wherever_they_stand(
        self, client, space, desk, alice, soon, query
    ):
        hostile = "<b>\"'&amp;</b>"
        Space.objects.update(name=hostile, address=hostile, about=hostile)
        pair = PlaceFactory.create(space=space, number=9, name=f"{hostile} 9", features=["sofa"])
        space.places.update(name=hostile)
        pair.parts.set([desk])
        booking = book(desk, alice, soon - hours(24), soon + hours(2))
        client.force_login(alice)
        query = query.format(code=pair.code, move=booking.code)
        page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}{query}").text
        assert "<b>" not in page
        assert "'&amp;<" not in page
        assert page.count(escape(hostile)) > 5

    def test_a_move_leaves_out_only_the_booking_that_moves(self, client, desk, alice, bob, soon):
        mine = book(desk, alice, soon - hours(24), soon)
        book(desk, bob, soon - hours(24), soon + hours(2))
        client.force_login(alice)
        page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&move={mine.code}").text
        row = page[page.index('<th scope="row">Desk 1') :]
        cells = re.findall(r'<td colspan="(\d+)" class="(\w+)"', row[: row.index("</tr>")])
        assert cells == [("16", "free"), ("8", "taken"), ("32", "free")]

    def test_the_sort_order_stays_on_every_way_on(self, client, space, soon):
        client.force_login(UserFactory.create())
        page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&sort=number").text
        ways = [unescape(way) for way in re.findall(r'href="([^"]*date=[^"]*)"', page)]
        assert len(ways) > 3
        assert all("sort=number" in way for way in ways)

    def test_the_timeline_links_to_one_url_however_its_own_was_written(self, client, space, soon):
        day = f"{soon:%Y-%m-%d}"
        client.force_login(UserFactory.create())
        pages = [
            client.get(f"/spaces/loft/?{query}").text
            for query in (
                f"date={day}&party=1",
                f"party=&date={day}&sort=fit&utm_source=x",
                f"date={day}&feature=throne",
            )
        ]
        links = [re.findall(r'<td[^>]*><a href="([^"]*)"', page) for page in pages]
        assert len(links[0]) == 3
        assert links[0] == links[1] == links[2]

    def test_no_member_is_named(self, client, space, desk, soon, alice):
        alice.name = "Alice Liddell"
        alice.save()
        book(desk, alice, soon - hours(24), soon)
        page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}").text
        assert "Liddell" not in page
        assert "alice" not in page

    def test_a_hidden_or_unknown_space_is_not_found(self, client, space):
        Space.objects.update(is_active=False)
        assert client.get("/spaces/loft/").status_code == 404
        assert client.get("/spaces/nowhere/").status_code == 404

    @pytest.mark.parametrize("code", ["x", "0", "00000000-0000-0000-0000-000000000000"])
    def test_moving_somebody_elses_booking_is_not_found(self, client, space, alice, code):
        client.force_login(alice)
        assert client.get("/spaces/loft/", {"move": code}).status_code == 404

    def test_only_reading(self, client, space):
        assert client.post("/spaces/loft/").status_code == 405

    @pytest.mark.parametrize("places", [5, 200])
    @pytest.mark.parametrize("bookings", [1, 500])
    def test_six_queries_whatever_there_is(
        self, client, alice, soon, django_assert_max_num_queries, places, bookings
    ):
        slug = f"big-{places}-{bookings}"  # nobody in this process knows it yet
        space = open_space(places=places, slug=slug)
        fill(space, soon, bookings)
        client.force_login(alice)
        for clock in ("from=10:00&to=12:00", "from=07:00&to=08:00", "from=12:07&to=13:00"):
            with django_assert_max_num_queries(6):
                answer = client.get(f"/spaces/{slug}/?date={soon:%Y-%m-%d}&{clock}")
            assert answer.status_code == 200


def fill(space, soon, bookings):
    """Fill hour after hour, place after place, day after day: just the rows that a board reads."""
    member, made_at = UserFactory.create(), soon - hours(30)
    places = list(space.places.all())
    rows = []
    for n in range(bookings):
        day, rest = divmod(n, 14 * len(places))
        hour, place = divmod(rest, len(places))
        starts_at = soon + timedelta(days=day) - hours(2) + hours(hour)
        rows.append(
            Booking(
                place=places[place],
                member=member,
                state=State.CONFIRMED,
                starts_at=starts_at,
                ends_at=starts_at + hours(1),
                created_at=made_at,
                decided_at=made_at,
            )
        )
    Booking.objects.bulk_create(rows)


def test_a_link_to_it_shows_name_hours_and_a_picture(client, space, settings):
    settings.SITE_URL = "https://book.example"
    Space.objects.update(about='"Quiet" desks', address="Lenina 1")
    page = client.get("/spaces/loft/?date=2026-12-01").text
    shown = dict(re.findall(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)">', page))
    about = "&quot;Quiet&quot; desks Mon–Sun 8:00–22:00 · Lenina 1"
    assert shown["description"] == shown["og:description"] == about
    assert shown["og:title"] == "Loft"
    assert shown["og:url"] == "https://book.example/spaces/loft/"
    picture = shown["og:image"].removeprefix("https://book.example")
    assert re.fullmatch(r"/static/img/preview\.?\w*\.png", picture)
    assert '<link rel="canonical" href="https://book.example/spaces/loft/">' in page
