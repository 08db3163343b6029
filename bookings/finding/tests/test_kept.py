"""Pages that many share: what is kept, what is filled in, and what nobody else may see."""

import random
import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.api.limits import WINDOW
from accounts.factories import StaffRoleFactory, UserFactory
from bookings.deciding import services
from bookings.finding.kept import Blank, Page
from bookings.finding.shelf import KEPT_FOR, shelf
from bookings.models import Booking
from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory, PolicyFactory, open_space
from spaces.models import SetupStamp, Space

pytestmark = pytest.mark.django_db

SECRET = re.compile(
    r'(?<=name="csrfmiddlewaretoken" value=")[A-Za-z0-9]+|(?<=name="request_key" value=")[^"]+'
)
KEYS = re.compile(r'name="request_key" value="([^"]+)"')


@pytest.fixture(autouse=True)
def empty_shelf():
    shelf.clear()


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def url_of(day, space="loft", **query):
    said = {"date": str(day), "from": "10:00", "to": "12:00", **query}
    return f"/spaces/{space}/?" + "&".join(f"{name}={value}" for name, value in said.items())


def text_of(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def plain(text):
    """Return a page without what is fresh in each answer."""
    return SECRET.sub("…", text)


def wish(page, number):
    """Return the fields of a card's form, as a script would read them."""
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    form = next(form for form in forms if f"Desk {number}<" in form)
    return {
        name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)
    }


class TestBlanks:
    def test_a_text_is_cut_at_its_blanks(self):
        page = Page.cut("Hello xxnamexx, your key: xxkeyxx.", "xx")
        assert page.blanks == (Blank.NAME, Blank.KEY)
        values = {Blank.NAME: lambda: "Алиса".encode(), Blank.KEY: lambda: b"1"}
        assert page.filled(values).decode() == "Hello Алиса, your key: 1."

    def test_names_are_escaped(self, space, soon):
        client = signed_in(UserFactory.create(name="<b>&", username="eve"))
        assert "&lt;b&gt;&amp;" in text_of(client.get(url_of(soon.date())))

    def test_everybody_has_their_own_name_number_and_tokens(self, space, desk, alice, bob, soon):
        book(desk, alice, soon - timedelta(days=1), starts_at=soon + hours(9))
        hers, his = (
            text_of(signed_in(user).get(url_of(soon.date(), party=1))) for user in (alice, bob)
        )
        assert "alice" in hers
        assert "alice" not in his
        assert '<span class="count">' in hers
        assert '<span class="count">' not in his
        assert not set(SECRET.findall(hers)) & set(SECRET.findall(his))

    def test_two_bookings_from_one_page(self, client, space, alice, soon):
        """A key for a whole page would make the second one a repetition of the first."""
        client.force_login(alice)
        client.get(url_of(soon.date()))
        page = text_of(client.get(url_of(soon.date())))  # kept by then
        assert len(set(KEYS.findall(page))) == len(KEYS.findall(page)) == 3
        for number in (1, 2):
            answer = client.post("/bookings/", wish(page, number))
            assert "booked=1" in answer["Location"]
        assert sorted(Booking.objects.values_list("place__number", flat=True)) == [1, 2]

    def test_a_message_is_shown_once_and_kept_for_nobody(self, client, space, alice, bob, soon):
        client.force_login(alice)
        booking = book(space.places.get(number=3), alice, soon - timedelta(days=1), starts_at=soon)
        services.cancel(booking, by=alice, now=soon - timedelta(days=1))
        client.get(f"/bookings/{booking.code}/cancel/")
        first = client.get(url_of(soon.date()))
        assert "already cancelled" in text_of(first)
        assert "no-store" in first["Cache-Control"]
        assert "already cancelled" not in text_of(client.get(url_of(soon.date())))
        assert "already cancelled" not in text_of(signed_in(bob).get(url_of(soon.date())))


class TestUnchanged:
    def test_nothing_is_sent_again(self, client, space, alice, clock, soon):
        client.force_login(alice)
        first = client.get(url_of(soon.date()))
        assert first["Cache-Control"] == "private, no-cache"
        again = client.get(url_of(soon.date()), headers={"If-None-Match": first["ETag"]})
        assert again.status_code == 304
        assert again["ETag"] == first["ETag"]
        assert not again.content

    @pytest.mark.parametrize("is_mine", [True, False])
    def test_a_day_that_looks_as_before(self, space, desk, alice, bob, clock, soon, is_mine):
        """Booked, then cancelled: the old form's key stands for the cancelled booking.

        Red when the tag is made of what the page shows alone.
        """
        client = signed_in(alice)
        first = client.get(url_of(soon.date()))
        page = text_of(first)
        booker = client if is_mine else signed_in(bob)
        location = booker.post("/bookings/", wish(page, 1))["Location"]
        booker.post(f"{location.partition('?')[0]}cancel/")
        again = client.get(url_of(soon.date()), headers={"If-None-Match": first["ETag"]})
        if not is_mine:
            assert again.status_code == 304
            return
        assert plain(text_of(again)) == plain(page)
        client.post("/bookings/", wish(text_of(again), 1))
        assert [b.state for b in Booking.objects.order_by("pk")] == ["CANCELLED", "CONFIRMED"]

    def test_a_form_in_another_tab(self, client, space, alice, clock, soon):
        """A 304 gives two tabs the same forms: the second one says what became of its booking."""
        client.force_login(alice)
        first = client.get(url_of(soon.date()))
        client.get(url_of(soon.date()), headers={"If-None-Match": first["ETag"]})
        form = wish(text_of(first), 1)
        location = client.post("/bookings/", form)["Location"]
        client.post(f"{location.partition('?')[0]}cancel/")
        again = client.post("/bookings/", form)
        assert again.status_code == 422
        page = again.content.decode()
        assert "This form was used before" in page
        assert "The booking that it made is cancelled." in page
        client.post("/bookings/", wish(page, 1))
        assert [b.state for b in Booking.objects.order_by("pk")] == ["CANCELLED", "CONFIRMED"]

    @pytest.mark.parametrize("change", ["language", "name", "sign-in", "htmx"])
    def test_a_tag_is_for_one_reader_and_one_view(
        self, client, space, alice, bob, clock, soon, change
    ):
        client.force_login(alice)
        first = client.get(url_of(soon.date()))
        headers = {"If-None-Match": first["ETag"]}
        if change == "language":
            alice.language = "ru"
            alice.save()
        if change == "name":
            alice.name = "Alicia"
            alice.save()
        if change == "sign-in":
            client.force_login(bob)
        if change == "htmx":
            headers["HX-Request"] = "true"
        assert client.get(url_of(soon.date()), headers=headers).status_code == 200


class TestSharing:
    def test_the_second_reader_makes_nothing(self, space, alice, bob, clock, soon):
        signed_in(alice).get(url_of(soon.date()))
        assert (shelf.made, shelf.found) == (2, 0)
        signed_in(bob).get(url_of(soon.date()))
        assert (shelf.made, shelf.found) == (2, 2)

    def test_a_booking_leaves_what_is_around_the_results(
        self, space, desk, alice, bob, clock, soon
    ):
        client = signed_in(bob)
        client.get(url_of(soon.date()))
        book(desk, alice, clock.now, starts_at=soon)
        client.get(url_of(soon.date()))
        assert (shelf.made, shelf.found) == (3, 1)

    def test_who_has_booked_that_day_shares_what_is_around(
        self, space, desk, alice, bob, clock, soon
    ):
        for user in (alice, bob):
            book(desk, user, clock.now, starts_at=soon + hours(3 if user == bob else 0))
            signed_in(user).get(url_of(soon.date()))
        assert (shelf.made, shelf.found) == (3, 1)

    def test_memory_is_bounded(self, client, space, monkeypatch, soon):
        client.get(url_of(soon.date()))
        of_two = shelf._pages.currsize
        for days in range(1, 6):
            client.get(url_of(soon.date() + timedelta(days=days)))
        assert shelf._pages.currsize > 5 * of_two
        monkeypatch.setattr(shelf._pages, "_Cache__maxsize", 2 * of_two)
        client.get(url_of(soon.date() + timedelta(days=7)))
        assert shelf._pages.currsize <= 2 * of_two


PAIRS = 500


def test_nobody_sees_another_s_layer(clock, soon):
    """Kept and fresh pages are equal, but for keys and tokens, whoever looked before."""
    seed = 20261130
    choose = random.Random(seed)
    people, codes = a_house(choose, clock, soon)
    searches = [
        url_of(soon.date() + timedelta(days=n), space, **query)
        for n in (0, 1)
        for space in ("loft", "hall")
        for query in QUERIES
    ]
    pairs = [(choose.choice(people), choose.choice(searches)) for _ in range(PAIRS)]
    browsers = {None: Client()} | {user: signed_in(user) for user in people if user}
    fresh = {}
    for pair in pairs:
        if pair not in fresh:
            shelf.clear()
            fresh[pair] = plain(text_of(browsers[pair[0]].get(pair[1])))
    shelf.clear()
    for user, url in pairs:
        kept = plain(text_of(browsers[user].get(url)))
        assert kept == fresh[user, url], (seed, user, url)
        others = {name for name in people if name and name != user}
        assert not any(other.username in kept for other in others)
        assert set(re.findall(r"/bookings/([0-9a-f-]{36})/", kept)) <= codes.get(user, set())
    assert shelf.found > PAIRS


QUERIES = [
    {},
    {"party": 3},
    {"from": "20:00", "to": "23:00"},
    {"from": "12:00", "to": "10:00"},
    {"feature": "monitor", "sort": "number"},
]


def a_house(choose, clock, soon):
    """Return twelve people, one of them a visitor, and the codes of each one's bookings."""
    loft = open_space(slug="loft", name="Loft", places=8)
    hall = open_space(slug="hall", name="Hall", places=4)
    whole = PlaceFactory.create(space=hall, number=9, kind="ROOM", capacity=8, features=["monitor"])
    whole.parts.set(hall.places.filter(number__lte=2))
    friends = Group.objects.create(name="friends")
    PolicyFactory.create(space=loft, group=friends, max_minutes=60)
    people = [UserFactory.create(username=f"person-{n}-of-the-house") for n in range(11)]
    for n, user in enumerate(people):
        user.language, user.theme = choose.choice(["", "ru"]), choose.choice(["DARK", "LIGHT"])
        user.save()
        if n % 3 == 0:
            user.groups.add(friends)
    StaffRoleFactory.create(user=people[1], space=loft)
    codes = {}
    for _ in range(40):
        user = choose.choice(people)
        place = choose.choice([*loft.places.all(), *hall.places.all()])
        starts_at = soon + timedelta(days=choose.randrange(2), hours=choose.randrange(-2, 10))
        booking = book(place, user, clock.now, starts_at=starts_at, length=1)
        if booking.state == "CONFIRMED":
            codes.setdefault(user, set()).add(str(booking.code))
    return [None, *people], codes


class TestTime:
    """Pages say what they will say until the minute ends."""

    def test_a_minute_makes_one_page(self, client, space, clock, soon):
        clock.now = soon.replace(hour=12)
        client.get(url_of(soon.date()))
        clock.passes(seconds=1)
        client.get(url_of(soon.date()))
        clock.passes(seconds=59)
        assert (shelf.made, shelf.found) == (4, 0)
        client.get(url_of(soon.date()))
        assert (shelf.made, shelf.found) == (4, 2)

    def test_a_quarter_passes(self, client, space, clock, soon):
        clock.now = soon.replace(hour=12, minute=14, second=30)
        before = text_of(client.get(url_of(soon.date())))
        assert '<td colspan="17" class="past">' in before  # from 8:00 on
        clock.passes(seconds=31)
        after = text_of(client.get(url_of(soon.date())))
        assert '<td colspan="18" class="past">' in after

    def test_a_deadline_passes(self, client, space, clock, soon):
        PolicyFactory.create(space=space, cancel_deadline_minutes=70)
        clock.now = soon - timedelta(minutes=70)
        assert "Cancel until 8:50" in text_of(client.get(url_of(soon.date())))
        clock.passes(microseconds=1)
        assert "be cancelled later than" in text_of(client.get(url_of(soon.date())))


class TestWithoutStamps:
    """A database being migrated, or restored in part: nothing says when a set-up changes."""

    @pytest.fixture
    def houses(self):
        houses = [open_space(slug=name.lower(), name=name, places=1) for name in ("Alpha", "Beta")]
        SetupStamp.objects.all().delete()
        return houses

    def test_each_space_shows_its_own_places(self, client, houses, clock):
        for house in houses:
            page = text_of(client.get(house.get_absolute_url()))
            assert f"<h1>{house.name}</h1>" in page
            assert str(house.places.get().code) in page

    @pytest.mark.parametrize("url", ["/", "/spaces/alpha/"])
    def test_a_change_is_seen(self, client, houses, clock, url):
        client.get(url)
        Space.objects.filter(slug="alpha").update(address="Far away 7")
        SetupStamp.objects.all().delete()
        assert "Far away 7" in text_of(client.get(url))


def test_bytes_that_no_browser_sends_are_a_query_of_their_own(client, clock, space):
    for n in range(30):
        open_space(slug=f"s{n}", name=f"S{n}", places=1)

    def asked(query):
        return re.search(
            r'id="id_q"[^>]*value="([^"]*)"', text_of(client.get("/", QUERY_STRING=query))
        )[1]

    assert asked("q=" + "é".encode().decode("latin-1")) == "é"
    assert asked("q=%C3%83%C2%A9") == "Ã©"


def test_shared_pages_give_way_to_the_counts_of_requests():
    """A full cache drops first what expires first; counts are kept for two minutes."""
    assert KEPT_FOR <= WINDOW


def test_a_page_is_the_same_after_it_was_shared():
    page = Page(("é <p>".encode(), b"", b"end"), (Blank.NAME, Blank.KEY))
    assert Page.unpacked(page.packed()) == page
