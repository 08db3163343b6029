"""How a mail is put together: its parts, its invitation and its headers."""

import pytest
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from accounts.factories import UserFactory
from accounts.services import change
from bookings.deciding import services
from bookings.tests.acts import book, local, move
from notifications.mail.sending import deliver_mail
from notifications.relay import fan_out
from notifications.tests.inbox import calendars, html, sent, text
from notifications.tests.smtp import receiving
from spaces.models import Space

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


# --- For the calendar -----------------------------------------------------------------------------


def test_invitations_follow_a_booking_through_its_life(desk_12, anna, now):
    booking = book(desk_12, anna, now)
    messages = sent(now)
    move(booking, now, local(desk_12.space, "2026-11-26T15:00"))
    messages += sent(now)
    services.cancel(booking, by=anna, now=now)
    messages += sent(now)
    seen = []
    for message in messages:
        beside, attached = calendars(message)
        assert beside.get_content() == attached.get_content()
        assert beside["Content-Type"].params["charset"] == "utf-8"
        assert (attached.get_filename(), attached.get_content_disposition()) == (
            "invite.ics",
            "attachment",
        )
        calendar = Calendar.from_ical(attached.get_content())
        [event] = calendar.walk("VEVENT")
        method = str(calendar["METHOD"])
        assert beside["Content-Type"].params["method"] == method
        seen.append((method, str(event["UID"]), event["SEQUENCE"], event.start.isoformat()))
        assert str(event["ORGANIZER"]).lower() == "mailto:mesto@mesto.example"
        assert str(event["ATTENDEE"]).lower() == "mailto:anna@example.org"
    assert len({uid for _, uid, _, _ in seen}) == 1
    assert [(method, sequence, start) for method, _, sequence, start in seen] == [
        ("REQUEST", 1, "2026-11-25T10:00:00+00:00"),
        ("REQUEST", 2, "2026-11-26T12:00:00+00:00"),
        ("CANCEL", 3, "2026-11-26T12:00:00+00:00"),
    ]


def test_the_invitation_is_the_last_alternative(desk_12, anna, now):
    """The last of the alternatives is the richest (RFC 2046, 5.1.4)."""
    book(desk_12, anna, now)
    [message] = sent(now)
    assert message.get_content_type() == "multipart/mixed"
    alternatives, attached = message.iter_parts()
    assert [part.get_content_type() for part in alternatives.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    assert attached.get_content_type() == "text/calendar"


# --- Headers --------------------------------------------------------------------------------------


def test_mails_about_one_booking_form_a_thread_and_each_has_a_permanent_id(desk_12, anna, now):
    booking = book(desk_12, anna, now)
    [first] = sent(now)
    move(booking, now, local(desk_12.space, "2026-11-26T15:00"))
    [second] = sent(now)
    assert first["Message-ID"] == f"<{booking.code}.1@mesto.example>"
    assert second["Message-ID"] == f"<{booking.code}.2@mesto.example>"
    thread = f"<{booking.code}@mesto.example>"
    for message in (first, second):
        assert (message["References"], message["In-Reply-To"]) == (thread, thread)
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "name",
    ["Desk\r\nBcc: eve@example.org", "Desk\nSubject: x", "\u2028Desk\x0b\x85", "Я" * 60],
)
def test_no_name_gets_into_the_headers(desk_12, anna, now, name):
    desk_12.space.places.update(name=name)
    desk_12.refresh_from_db()
    book(desk_12, anna, now)
    [message] = sent(now)
    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == 1
    assert message["Subject"].isprintable()
    assert message["To"] == "anna@example.org"


def test_html_escapes_what_people_wrote(desk_12, anna, boss, now):
    bad = "<script>alert(1)</script>"
    Space.objects.update(name=f"A & B {bad}", address=bad)
    desk_12.space.places.update(name="<b>Desk</b>")
    booking = book(desk_12.space.places.get(number=12), anna, now, note=bad)
    services.cancel(booking, by=boss, now=now, reason=bad)
    booked, cancelled = sent(now)
    for message in (booked, cancelled):
        assert "<script" not in html(message)
        assert "<b>" not in html(message)
        assert "A & B" in text(message)
    assert text(booked).count(bad) >= 3
    assert text(cancelled).count(bad) >= 4


# --- On the wire ----------------------------------------------------------------------------------

NAMES = [
    'The "Loft", 2nd floor; <b>',
    "Пространство «Ёлка» 🎄",
    "Loft\r\nMETHOD:CANCEL\r\nEND:VEVENT",
    "Loft\\, and: more" + "ß" * 60,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_two_calendar_programs_can_read_what_arrives(desk_12, anna, now, name, language):
    """Whatever a space is called, and however its mail is folded on the way."""
    change(anna, language=language, name=name)
    Space.objects.update(name=name, address=name)
    booking = book(desk_12.space.places.get(number=12), anna, now, note=name)
    with receiving() as server:
        fan_out(now=now)
        deliver_mail(now=now)
    [message] = server.messages
    assert not message.defects
    assert max(map(len, server.raw[0].split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1
    for part in calendars(message):
        content = part.get_content()
        [one] = Calendar.from_ical(content).walk("VEVENT")
        other_calendar = IcsCalendarStream.calendar_from_ics(content.replace("\r\n", "\n"))
        [other] = other_calendar.events
        assert str(one["UID"]) == other.uid == f"{booking.code}@mesto"
        assert one.start == other.dtstart == booking.starts_at
        assert one.end == other.dtend == booking.ends_at
        assert str(one["SUMMARY"]) == other.summary
        assert name.replace("\r\n", "\n") in other.summary
        assert other_calendar.method == "REQUEST"
        assert (int(one["SEQUENCE"]), other.sequence) == (1, 1)


@pytest.mark.parametrize(
    "sender",
    [
        "Mesto <mesto@mesto.example>",
        "=?utf-8?b?0JzQtdGB0YLQvg==?= <mesto@mesto.example>",
        '"Loft, \\"the\\" house" <mesto@mesto.example>',
        "mesto@mesto.example",
    ],
)
def test_whatever_the_sender_is_called_the_organizer_is_its_address(
    desk_12, anna, now, settings, sender
):
    settings.MAIL_FROM = sender
    book(desk_12, anna, now)
    with receiving() as server:
        fan_out(now=now)
        deliver_mail(now=now)
    [message] = server.messages
    assert message["From"].addresses[0].addr_spec == "mesto@mesto.example"
    for part in calendars(message):
        [event] = Calendar.from_ical(part.get_content()).walk("VEVENT")
        assert str(event["ORGANIZER"]) == "mailto:mesto@mesto.example"
