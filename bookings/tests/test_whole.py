"""Dates, times and numbered places in running text never break across lines."""

import re

import pytest
from django.utils import translation

from bookings.models import Booking
from bookings.tests.acts import book, hours
from bookings.words.words import whole

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

WRITTEN = {
    "en": [
        ("until Mon 30 Nov, 7:00.", "until [Mon 30 Nov], 7:00."),
        ("on Fri 15 Jan 2027, 8:00–10:00", "on [Fri 15 Jan 2027], [8:00–10:00]"),
        ("Someone took Desk 12 for 13:00", "Someone took [Desk 12] for 13:00"),
        ('<a title="Desk 12">Desk 12</a>', '<a title="Desk 12">[Desk 12]</a>'),
        ("A table for 14 people in 15 minutes", "A table for 14 people in 15 minutes"),
    ],
    "ru": [
        ("до пн, 30 ноября, 7:00", "до [пн, 30 ноября], 7:00"),
        ("Пт, 15 января 2027, Стол 1", "[Пт, 15 января 2027], [Стол 1]"),
    ],
}


@pytest.mark.parametrize(
    ("language", "text", "kept"),
    [(language, *pair) for language, pairs in WRITTEN.items() for pair in pairs],
)
def test_what_belongs_together_is_found(language, text, kept):
    with translation.override(language):
        assert whole(text, "[%s]") == kept


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_page_may_break_one(client, space, desk, alice, bob, soon, language):
    made = book(desk, alice, soon - hours(24), soon)
    book(space.places.get(number=2), bob, soon - hours(24), soon)
    own, day = made.get_absolute_url(), f"{soon:%Y-%m-%d}"
    sent = {"place": space.places.get(number=2).code}
    sent |= {"starts_at": f"{day}T10:00", "ends_at": f"{day}T12:00"}
    client.cookies["django_language"] = language
    wish = client.post("/bookings/", sent, follow=True)
    client.force_login(alice)
    board = f"{space.get_absolute_url()}?date={day}&from=10:00&to=12:00"
    pages = [
        wish,
        client.get(own),
        client.get(f"{own}cancel/"),
        client.get(f"{board}&move={made.code}"),
        client.get(f"{board}&party=60"),
        client.get(f"{space.get_absolute_url()}?date={soon.year + 1}-01-20"),
        client.post("/bookings/", sent),
        client.post(f"{own}reschedule/", sent),
        client.post(f"{own}cancel/", follow=True),
    ]
    for page in pages:
        main = page.text.partition("<main")[2].partition("</main")[0]
        kept = re.sub(r'<span class="(?:muted )?whole">[^<]*</span>', "", main)
        for text in re.findall(r"<(?:p|li|h1(?! id=.what)|h2|dd)\b[^>]*>(?:<strong>)?[^<]+", kept):
            with translation.override(language):
                words = text.rpartition(">")[2].strip()
                assert whole(words, "[%s]") == words, text
    assert Booking.objects.count() == 3
