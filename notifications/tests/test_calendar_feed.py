"""What calendar apps read: the contents, and how they poll."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.http import http_date

from accounts.factories import StaffRoleFactory
from bookings.deciding import services
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, ask, book, hours, local, move
from notifications.calendars import feeds
from notifications.calendars.ics import invitation
from notifications.models import CalendarFeed
from notifications.tests.calendars import address, calendar, made, read
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def shown(feed, now):
    """Return what a feed shows at a time, as two parsers read it."""
    return read(feeds.contents(feed, now=now).written())


def summaries(feed, now):
    return [event.summary for event in shown(feed, now)]


# --- What a member's shows


def test_a_member_sees_their_own_bookings_and_where_they_are(mine, desk, alice, bob, now):
    booking = book(desk, alice, now, note="Quiet, please", party_size=1)
    book(desk, bob, now, TEN + hours(4))
    (event,) = shown(mine, now)
    assert event.uid == f"{booking.code}@mesto"
    assert event.summary == "Desk 1 · Loft"
    assert event.location == "Loft"
    assert "Quiet, please" in event.description
    assert (event.starts_at, event.ends_at) == (TEN, TEN + hours(2))


def test_it_shows_what_was_moved_and_what_was_cancelled(mine, desk, alice, now):
    booking = book(desk, alice, now)
    before = shown(mine, now)[0]
    move(booking, now, TEN + hours(4))
    moved = shown(mine, now)[0]
    services.cancel(booking, by=alice, now=now)
    cancelled = shown(mine, now)[0]
    assert (moved.starts_at, moved.status) == (TEN + hours(4), "CONFIRMED")
    assert (cancelled.status, cancelled.summary) == ("CANCELLED", "Cancelled: Desk 1 · Loft")
    assert before.sequence < moved.sequence < cancelled.sequence
    assert before.uid == moved.uid == cancelled.uid


def test_it_says_what_the_invitations_say(mine, desk, alice, now):
    booking = book(desk, alice, now)
    for change in (
        lambda: move(booking, now, TEN + hours(4), party_size=1),
        lambda: services.cancel(booking, by=alice, now=now, reason="Flood"),
    ):
        change()
        event = booking.events.select_related("booking__place__space").latest("sequence")
        sent = invitation(event, organizer="m@example.com", attendee="a@example.com")
        assert shown(mine, now) == read(sent.content)


def test_it_shows_the_past_month_and_all_of_the_future(mine, desk, alice, now):
    for days in (1, 28, 90):
        book(desk, alice, now, TEN + timedelta(days=days))
    services.complete_past(now=now + timedelta(days=40))
    later = now + timedelta(days=40)
    assert [event.starts_at for event in shown(mine, later)] == [
        TEN + timedelta(days=28),
        TEN + timedelta(days=90),
    ]
    assert {event.status for event in shown(mine, later)} == {"CONFIRMED"}


def test_it_shows_nothing_that_was_never_booked(mine, desk, alice, bob, now):
    book(desk, bob, now)
    book(desk, alice, now)  # taken: REJECTED
    ask(desk, alice, now, TEN + hours(5))  # not decided
    assert shown(mine, now) == []


def test_what_waits_for_approval_is_tentative(mine, desk, alice, now):
    booking = book(desk, alice, now)
    event = booking.events.get()
    event.data["state"] = State.AWAITING_APPROVAL
    event.save(update_fields=["data"])
    Booking.objects.update(state=State.AWAITING_APPROVAL)
    assert [event.status for event in shown(mine, now)] == ["TENTATIVE"]


def test_it_has_an_end(mine, desk, alice, now, monkeypatch):
    monkeypatch.setattr(feeds, "MOST", 2)
    for n in range(4):
        book(desk, alice, now, TEN + timedelta(days=n))
    assert [event.starts_at.day for event in shown(mine, now)] == [27, 28]


def test_it_says_how_often_to_poll_and_what_it_is_called(mine, program):
    found = calendar(program.get(address(mine)).content)
    assert found["METHOD"] == "PUBLISH"
    assert found["NAME"] == found["X-WR-CALNAME"] == "My bookings at Mesto"
    assert found["REFRESH-INTERVAL"].dt == timedelta(minutes=15)
    assert found["REFRESH-INTERVAL"].params == {"VALUE": "DURATION"}
    assert found["X-PUBLISHED-TTL"] == "PT15M"
    assert found["COLOR"] == "teal"
    assert "X-WR-TIMEZONE" not in found


def test_it_speaks_the_members_language(mine, program, desk, alice, soon):
    book(desk, alice, soon - hours(24), soon)
    type(alice).objects.update(language="ru")
    answer = program.get(address(mine), headers={"Accept-Language": "en"})
    assert answer["Content-Language"] == "ru"
    assert read(answer.content)[0].summary == "Стол 1 · Loft"
    type(alice).objects.update(language="")
    answer = program.get(address(mine), headers={"Accept-Language": "en"})
    assert read(answer.content)[0].summary == "Desk 1 · Loft"


# --- What the staff's show


def test_the_staff_see_who_is_coming_and_how_many(host, space, alice, bob, now):
    table = PlaceFactory.create(space=space, number=7, kind="TABLE", capacity=6)
    type(bob).objects.filter(pk=bob.pk).update(name="Bob B.")
    bob.refresh_from_db()
    book(table, alice, now, party_size=4)
    booking = book(table, bob, now, TEN + hours(3))
    book(
        table,
        None,
        now,
        TEN + hours(6),
        by=host,
        guest_name="Ms Guest",
        guest_contact="ms@guest.org",
    )
    feed = made(host, space)
    assert summaries(feed, now) == [
        "Table 7 · alice · 4 people",
        "Table 7 · bob (Bob B.)",
        "Table 7 · Ms Guest (guest)",
    ]
    written = feeds.contents(feed, now=now).written()
    assert b"guest.org" not in written
    assert calendar(written).events[1]["URL"].endswith(f"/bookings/booking/{booking.pk}/change/")


def test_a_space_shows_its_places_and_a_place_itself(host, space, desk, alice, now):
    other, elsewhere = space.places.get(number=2), open_space(places=1).places.get()
    book(desk, alice, now)
    book(other, alice, now, TEN + hours(3))
    book(elsewhere, alice, now)
    assert summaries(made(host, space), now) == ["Desk 1 · alice", "Desk 2 · alice"]
    assert summaries(made(host, space, other), now) == ["Desk 2 · alice"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
def test_the_staffs_name_the_space_and_its_zone(host, space, desk, now, zone):
    type(space).objects.update(time_zone=zone)
    for feed, name in {
        made(host, space): "Loft",
        made(host, space, desk): "Desk 1 · Loft",
    }.items():
        feed.refresh_from_db()
        content = feeds.contents(feed, now=now).written()
        assert read(content) == []
        assert calendar(content)["X-WR-CALNAME"] == name
        assert calendar(content)["X-WR-TIMEZONE"] == zone


def test_a_place_shows_whatever_keeps_it_from_being_free(host, space, alice, now):
    left, middle, right = space.places.order_by("number")
    pair = PlaceFactory.create(space=space, number=12, name="Pair")
    other_pair = PlaceFactory.create(space=space, number=23, name="Other pair")
    hall = PlaceFactory.create(space=space, number=123, name="Hall")
    pair.parts.set([left, middle])
    other_pair.parts.set([middle, right])
    hall.parts.set([pair, right])
    for n, place in enumerate([left, middle, right, pair, other_pair, hall]):
        book(place, alice, now, TEN + timedelta(days=n))

    def places(place):
        return [summary.split(" · ")[0] for summary in summaries(made(host, space, place), now)]

    assert places(left) == ["Desk 1", "Pair", "Hall"]
    assert places(middle) == ["Desk 2", "Pair", "Other pair", "Hall"]
    assert places(pair) == ["Desk 1", "Desk 2", "Pair", "Other pair", "Hall"]
    assert len(places(hall)) == 6


# --- Time


def test_nights_when_clocks_change_are_right(host, alice):
    midnight = datetime.min.time()
    space = open_space(opens_at=midnight, closes_at=midnight, time_zone="Europe/Berlin", places=1)
    StaffRoleFactory.create(user=host, space=space)
    PolicyFactory.create(space=space, step_minutes=15, max_days_ahead=1000)
    spans = {
        ("2026-10-24T23:00", "2026-10-25T02:15+02:00"): 195,
        ("2026-10-25T02:15+02:00", "2026-10-25T02:15+01:00"): 60,
        ("2026-10-25T02:15+01:00", "2026-10-25T03:00"): 45,
        ("2027-03-28T01:00", "2027-03-28T03:00"): 60,
    }
    now = datetime(2026, 10, 1, tzinfo=UTC)
    for span in spans:
        starts_at, ends_at = (local(space, text) for text in span)
        services.book(
            Wish(
                place=space.places.get(),
                member=alice,
                starts_at=starts_at,
                ends_at=ends_at,
                party_size=1,
            ),
            by=alice,
            now=now,
        )
    for feed in (made(alice), made(host, space)):
        events = shown(feed, now)
        lengths = [(event.ends_at - event.starts_at) / timedelta(minutes=1) for event in events]
        assert lengths == list(spans.values())
        assert events[1].starts_at == datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
        assert events[2].starts_at == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


# --- How apps poll


def test_an_app_gets_it_without_signing_in(mine, program):
    answer = program.get(address(mine))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Content-Disposition"] == 'inline; filename="mesto.ics"'
    assert answer["Last-Modified"] == http_date(TEN.timestamp())
    assert not answer.cookies
    assert not program.cookies


def test_an_unchanged_feed_is_not_sent_again(mine, program, desk, alice, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    first = program.get(address(mine))
    etag = first["ETag"]
    assert etag.startswith('"')
    again = program.get(address(mine), headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert again["Cache-Control"] == "private, no-cache"
    listed = program.get(address(mine), headers={"If-None-Match": f'"other", W/{etag}'})
    assert listed.status_code == 304
    services.cancel(booking, by=alice, now=soon - hours(5))
    changed = program.get(address(mine), headers={"If-None-Match": etag})
    assert (changed.status_code, changed["ETag"] == etag) == (200, False)


def test_the_etag_follows_the_contents_and_not_the_clock(mine, desk, alice, now):
    book(desk, alice, now)
    one, other = (feeds.contents(mine, now=at) for at in (now, now + timedelta(days=29)))
    assert (one.etag, one.written()) == (other.etag, other.written())
    later = feeds.contents(mine, now=now + timedelta(days=31))
    assert later.etag != one.etag  # the booking is out of sight


def test_the_etag_sees_each_word_that_is_shown(host, space, desk, alice, now, settings):
    book(desk, alice, now)
    feed = made(host, space)
    seen = {feeds.contents(feed, now=now).etag}

    def is_new():
        feed.refresh_from_db()
        etag = feeds.contents(feed, now=now).etag
        return etag not in seen and not seen.add(etag)

    type(desk).objects.update(name="Window")
    assert is_new()
    type(space).objects.update(name="Attic")
    assert is_new()
    type(space).objects.update(address="1 Dock Road")
    assert is_new()
    type(space).objects.update(time_zone="Europe/Berlin")
    assert is_new()
    type(alice).objects.filter(pk=alice.pk).update(name="Alice A.")
    assert is_new()
    settings.MAIL_FROM = "Front desk <desk@example.com>"
    assert is_new()
    assert not is_new()


def test_head_requests_work(mine, program, desk, alice, soon):
    book(desk, alice, soon - hours(24), soon)
    whole, head = program.get(address(mine)), program.head(address(mine))
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == whole["ETag"]
    assert head["Content-Length"] == str(len(whole.content))
    not_modified = program.head(address(mine), headers={"If-None-Match": whole["ETag"]})
    assert not_modified.status_code == 304


def test_only_reading_is_allowed(mine, program):
    assert program.post(address(mine)).status_code == 405
    assert program.delete(address(mine)).status_code == 405


def test_reading_is_recorded_once_an_hour(mine, now):
    def noted(at):
        mine.refresh_from_db()
        feeds.note_reading(mine, now=at)
        mine.refresh_from_db()
        return mine.last_read_at

    assert noted(now) == now
    assert noted(now + timedelta(minutes=59)) == now
    assert noted(now + hours(1)) == now + hours(1)


def test_an_app_that_reads_is_recorded(mine, program):
    program.get(address(mine))
    mine.refresh_from_db()
    assert mine.last_read_at is not None


@pytest.mark.parametrize("whose", ["a member", "a space", "a place"])
def test_many_bookings_cost_no_more_queries(host, space, desk, alice, now, program, whose):
    PolicyFactory.create(space=space, max_days_ahead=1000)
    PlaceFactory.create(space=space, number=50).parts.set([desk])
    feed = {
        "a member": lambda: made(alice),
        "a space": lambda: made(host, space),
        "a place": lambda: made(host, space, desk),
    }[whose]()
    CalendarFeed.objects.update(last_read_at=datetime.now(UTC))
    counts = []
    for n in (1, 100):
        for day in range(Booking.objects.count(), n):
            book(desk, alice, now, TEN + timedelta(days=300 + day))
        with CaptureQueriesContext(connection) as queries:
            assert len(read(program.get(address(feed)).content)) == n
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
