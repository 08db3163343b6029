"""The day of a space: who is here, who comes next, who comes later, how many there are."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.factories import UserFactory
from accounts.models import User
from bookings.deciding import services
from bookings.guests import Guest
from bookings.models import Booking
from bookings.staff.tests.acts import DAY, book_guest, browser
from bookings.states import State
from bookings.tests.acts import book, hours, write_booked
from config.tests.clock import Clock
from spaces.factories import PlaceFactory, open_space
from spaces.models import Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

NOON = datetime(2026, 11, 25, 12, 5, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    found = Clock(NOON)
    found.stop(monkeypatch)
    return found


@pytest.fixture
def client(host, clock):
    return browser(host)


def at(hour, minute=0):
    return NOON.replace(hour=hour, minute=minute)


def groups(page):
    """Return the names in each group, by the words of its heading."""
    found = {}
    for part in page.split('<details class="group')[1:]:
        title = re.search("<h2>(.*?)</h2>", part)[1]
        found[title] = [unescape(name) for name in re.findall(r'class="name">(.*?)<', part)]
    return found


def counts(page):
    """Return the numbers of the head."""
    part = re.search(r'<dl class="counts">.*?</dl>', page, re.DOTALL)[0]
    words = re.sub(r"\s+", " ", re.sub("<.*?>", " ", part)).strip()
    return words.partition(" Time zone")[0]


def test_now_next_and_later_by_the_hour(client, space, desk, host, now):
    second, third = space.places.exclude(pk=desk.pk)
    for place, start, name in [
        (desk, at(8), "Early"),
        (desk, at(12), "Due"),
        (second, at(13), "Next"),
        (desk, at(14), "Two"),
        (third, at(14, 30), "Half past two"),
        (second, at(16), "Four"),
    ]:
        step = {"length": 1}
        if start.minute:
            Booking.objects.filter(
                pk=book_guest(place, host, now, name, starts_at=at(18)).pk
            ).update(starts_at=start, ends_at=start + hours(1))
        else:
            book_guest(place, host, now, name, starts_at=start, **step)
    gone = book_guest(third, host, now, "Gone", starts_at=at(17), length=1)
    services.cancel(gone, by=host, now=now)
    assert groups(client.get(DAY).text) == {
        "Now: expected": ["Due"],
        "Next": ["Next"],
        "14:00": ["Two", "Half past two"],
        "16:00": ["Four"],
        "Finished": ["Early", "Gone"],
    }


def test_whom_nobody_has_marked_for_an_hour_is_folded_but_named(client, space, desk, host, now):
    second, _third = space.places.exclude(pk=desk.pk)
    book_guest(desk, host, now, "Silent", starts_at=at(10), length=4)
    book_guest(second, host, now, "Later", starts_at=at(16))
    page = client.get(DAY).text
    assert groups(page) == {"Since earlier, not marked": ["Silent"], "16:00": ["Later"]}
    assert 'id="g-unmarked">' in page
    assert '<span class="whole">10:00</span> Silent' in page


def test_refused_tries_are_hidden(client, desk, host, now):
    book_guest(desk, host, now, starts_at=at(14))
    assert book_guest(desk, host, now, "Late", starts_at=at(14)).state == State.REJECTED
    page = client.get(DAY).text
    assert "Rossi" in page
    assert "Late" not in page


def test_a_row_says_who_where_how_to_reach_them_and_what_they_wrote(client, desk, host, now):
    book_guest(
        desk,
        host,
        now,
        "Иван <b>",
        starts_at=at(14),
        guest_contact="+7 900 123-45-67, ivan@example.org",
        note="by the window",
    )
    page = client.get(DAY).text
    row = re.search(r'<li class="visit.*?</li>', page, re.DOTALL)[0]
    assert "<strong>14:00</strong>" in row
    assert 'class="name">Иван &lt;b&gt;<' in row
    assert "Desk 1" in row
    assert "by the window" in row
    assert 'href="tel:+79001234567"' in row
    order = [
        row.index(each)
        for each in ("14:00</strong>", 'class="name"', 'class="people"', "Desk 1</span>")
    ]
    assert order == sorted(order)


def test_the_head_counts(client, space, desk, host, now):
    room = PlaceFactory.create(space=space, number=9, kind="ROOM", capacity=4)
    book_guest(desk, host, now, starts_at=at(12), length=1)
    book_guest(room, host, now, starts_at=at(15), party_size=3)
    assert counts(client.get(DAY).text) == "Booked 2 4 people Arrived 0 Free now 3 of 4"


def test_nothing_is_free_while_the_house_is_closed(client, space, clock):
    clock.now = at(23)
    assert counts(client.get(DAY).text) == "Booked 0 0 people Arrived 0 Free now closed"


def test_a_restaurant_counts_its_covers_per_quarter_hour(client, space, desk, host, now):
    Space.objects.update(kind="RESTAURANT")
    space.places.update(capacity=4)
    second = space.places.get(number=2)
    for place, start in [(desk, at(19)), (second, at(19))]:
        book_guest(space.places.get(pk=place.pk), host, now, starts_at=start, party_size=4)
    covers = re.search(r'class="covers".*?</div>', client.get(DAY).text, re.DOTALL)[0]
    assert re.findall(r"<span>(.*?)</span> <strong>(\d+)", covers) == [("19:00", "8")]


def test_regulars_and_first_visits_are_marked(client, desk, alice, bob, host, now):
    for n in range(5):
        booked = book(
            desk, alice, now - timedelta(days=30), NOON - timedelta(days=n + 1, hours=2, minutes=5)
        )
        Booking.objects.filter(pk=booked.pk).update(state=State.COMPLETED)
    missed = book(desk, bob, now - timedelta(days=30), at(10) - timedelta(days=9))
    Booking.objects.filter(pk=missed.pk).update(state=State.NO_SHOW)
    book(desk, alice, now, at(14))
    book(desk, bob, now, at(16))
    page = client.get(DAY).text
    assert "regular, 5 visits" in page
    assert page.count("first visit") == 1
    assert "1 no-show" in page


def test_another_day_is_shown_by_the_hour(client, desk, host, now):
    book_guest(desk, host, now, starts_at=at(10) + timedelta(days=1), length=1)
    page = client.get(DAY, {"date": "2026-11-26"}).text
    assert groups(page) == {"10:00": ["Rossi"]}
    assert "Free now" not in page
    assert groups(client.get(DAY).text) == {}


def test_a_wrong_day_is_said_to_be_one(client, space):
    answer = client.get(DAY, {"date": "2026-02-30"})
    assert answer.status_code == 422
    assert "This is not a date" in answer.text


def test_the_night_belongs_to_the_day_before(host, clock, now):
    bar = open_space(slug="bar", name="Bar", opens_at=at(18).time(), closes_at=at(2).time())
    host.staff_roles.update(space=bar)
    book_guest(
        bar.places.get(number=1), host, now, "Owl", starts_at=at(0) + timedelta(days=1), length=1
    )
    client = browser(host)
    assert groups(client.get("/staff/bar/").text) == {"0:00": ["Owl"]}
    assert groups(client.get("/staff/bar/?date=2026-11-26").text) == {}
    clock.now = at(0, 30) + timedelta(days=1)
    assert groups(client.get("/staff/bar/").text) == {"Now: expected": ["Owl"]}


def test_times_are_those_of_the_space_and_its_zone_is_named_for_others(
    client, space, desk, host, now
):
    Space.objects.update(time_zone="Asia/Yerevan")
    book_guest(space.places.get(pk=desk.pk), host, now, starts_at=at(14))
    Booking.objects.exclude(place__space__time_zone="Asia/Yerevan").delete()
    page = client.get(DAY).text
    assert "<strong>18:00</strong>" in page
    assert 'hidden data-zone="Asia/Yerevan"' in page
    host.time_zone = "Europe/Moscow"
    host.save()
    page = client.get(DAY).text
    assert "data-zone" not in page
    assert "Yerevan time" in page.partition("<h1>")[2].partition("day-tools")[0]


def test_other_spaces_are_left_out(client, host, now):
    attic = open_space(slug="attic", name="Attic")
    book(attic.places.get(number=1), UserFactory.create(username="elsewhere"), now, at(14))
    assert "elsewhere" not in client.get(DAY).text


def statements(client, address=DAY, **headers):
    with CaptureQueriesContext(
        connection,
    ) as found:
        answer = client.get(address, **headers)
    return len(found), answer


def many(space, count, now):
    people = [UserFactory.create() for _ in range(10)]
    places = PlaceFactory.create_batch(count // 10, space=space)
    write_booked(
        [(place, people[n], at(9) + timedelta(hours=n)) for place in places for n in range(10)],
        now,
    )


@pytest.mark.parametrize("count", [30, 300])
def test_a_day_takes_few_statements_however_many_have_booked(client, space, now, count):
    many(space, count, now)
    for _ in range(2):  # the process knows the set-up, or doesn't yet
        taken, answer = statements(client)
        assert answer.text.count('<li class="visit') == count
        assert taken <= 8
    assert taken == 5


def look(client, page):
    """Ask as an open page does."""
    seen = re.search(r'name="seen" value="(.*?)"', page)[1]
    return statements(client, f"{DAY}?seen={seen}", headers={"HX-Request": "true"})


def test_a_look_that_finds_nothing_new_takes_two_statements(client, space, now):
    many(space, 30, now)
    taken, answer = look(client, client.get(DAY).text)
    assert (taken, answer.status_code, answer.content) == (2, 204, b"")


def test_every_change_is_seen(client, space, desk, alice, host, now, clock):
    changes = [
        lambda: book(desk, alice, now, at(14)),
        lambda: services.cancel(Booking.objects.get(member=alice), by=host, now=now),
        lambda: book_guest(desk, host, now, starts_at=at(16), guest_contact="020 7946 0958"),
        lambda: space.places.update(name="Oak"),
        lambda: User.objects.filter(pk=alice.pk).update(name="Alice Cooper"),
        lambda: Guest.objects.update(note="Likes the window"),
        lambda: Guest.objects.update(allergies="Nuts"),
        lambda: Guest.objects.update(phone="+44 20 7946 0999", phone_digits="442079460999"),
        lambda: clock.passes(minutes=5),
    ]
    for change in changes:
        page = client.get(DAY).text
        assert look(client, page)[1].status_code == 204
        change()
        answer = look(client, page)[1]
        assert answer.status_code == 200
        assert 'id="day"' in answer.text
        assert "<h1" not in answer.text
        assert look(client, answer.text)[1].status_code == 204


def test_what_is_on_another_day_is_not_news(client, desk, alice, now):
    page = client.get(DAY).text
    book(desk, alice, now, at(14) + timedelta(days=1))
    assert look(client, page)[1].status_code == 204


@pytest.mark.parametrize(
    "seen", ["", "x", "1_2", "9_1", "-5_3", "9" * 30 + "_1", "١_٢", "0_99999999999"]
)
def test_a_wrong_mark_gets_the_whole(client, space, seen):
    assert client.get(DAY, {"seen": seen}, headers={"HX-Request": "true"}).status_code == 200


def test_no_copy_is_kept_on_the_way(client, space):
    assert "no-store" in client.get(DAY)["Cache-Control"]
    assert "private" in client.get(DAY)["Cache-Control"]
