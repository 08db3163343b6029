"""Text in all scripts, everywhere people write: nothing is lost on the way to mail."""

import pytest
from icalendar import Calendar

from accounts.services import change
from bookings.deciding import services
from bookings.tests.acts import book, move
from notifications.calendars import feeds
from notifications.mail.composing import _one_line
from notifications.tests.inbox import calendars, html, sent, text

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("site")]

#: With joiners and marks that aren't letters and are invisible: each is part of its word.
WORDS = {
    "Persian, with a joiner that keeps letters apart": "می\u200cخواهم",
    "Hindi, with a joiner": "क्\u200dष",
    "Hebrew, with a mark of direction": "שולחן \u200f12\u200e",
    "a family": "👩\u200d👩\u200d👧\u200d👦 table",
    "a flag of many parts": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "a heart of a style": "❤\ufe0f\u200d🔥",
    "a word with a soft hyphen": "Steuer\u00adberater",
    "a no-break space": "Volga\u00a02",
    "wide blanks of Japanese": "窓際\u3000二番",
}


@pytest.mark.parametrize("name", WORDS.values(), ids=WORDS)
def test_a_name_arrives_as_it_was_written(desk_12, anna, now, name):
    desk_12.name = name
    desk_12.save()
    desk_12.space.name = f"Space {name}"
    desk_12.space.save()
    booking = book(desk_12, anna, now, note=f"Note {name}")
    [message] = sent(now)
    assert message["Subject"] == f"{name} is yours: Wed 25 Nov, 13:00–15:00"
    assert f"Place: {name}\n" in text(message)
    assert f"Note: Note {name}\n" in text(message)
    assert name in html(message)
    for part in calendars(message):
        [event] = Calendar.from_ical(part.get_content()).walk("VEVENT")
        assert event["SUMMARY"] == f"{name} · Space {name}"
    feed = feeds.make(anna, space=None, place=None, now=now)
    [event] = Calendar.from_ical(feeds.contents(feed, now=now).written()).walk("VEVENT")
    assert event["SUMMARY"] == f"{name} · Space {name}"
    services.cancel(booking, by=anna, now=now)
    [message] = sent(now)
    assert message["Subject"] == f"Cancelled: {name}, Wed 25 Nov, 13:00–15:00"


def test_a_long_header_is_folded_without_loss(desk_12, anna, now):
    desk_12.name = "👩\u200d👩\u200d👧\u200d👦" * 8
    desk_12.save()
    booking = book(desk_12, anna, now)
    change(anna, language="ru")
    move(booking, now, booking.starts_at.replace(hour=12))
    for message in sent(now):
        assert desk_12.name in message["Subject"]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\x85", "\u2028", "\u2029", "\x0b", "\x1b", "\x00"])
def test_a_header_has_one_line(end):
    assert _one_line(f" a{end}Bcc: b@example.org{end}") == "a Bcc: b@example.org"
