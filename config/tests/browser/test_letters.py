"""Mail as people see it: the HTML of every kind, wide and narrow, light and dark, in two languages.

A mail program shows it without our stylesheet, and some drop its head.
"""

import pytest
from django.utils import timezone

from accounts.services import change
from bookings.deciding import services
from bookings.deciding.queueing import decide_next
from bookings.tests.acts import ask, book, hours, move
from config.tests.browser.inspection import (
    NARROW,
    NARROWEST,
    WIDE,
    foreign_words,
    misfits,
    violations,
)
from notifications.tests.inbox import html, sent

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A mail is an article within its reader's page, which has the landmarks.
OF_PAGES = ("landmark-one-main", "region")
LOOKS = {"en": (WIDE, "light"), "ru": (NARROW, "dark")}

LONG = "Самое-длинное-слово-без-единого-пробела-которое-только-бывает-на-свете " * 2


def letters(alice, bob, host, space, soon):
    """Yield the HTML of every kind of mail, by its name."""
    desk, now = space.places.get(number=1), timezone.now()
    booking = book(desk, alice, now, soon, note=LONG)
    yield "confirmed", sent(now)
    space.reminder_hours = 100
    yield "reminder", _reminder(booking, space, now)
    move(booking, now, soon + hours(24), party_size=1)
    yield "moved", sent(now)
    services.cancel(booking, by=host, now=now, reason=LONG)
    yield "cancelled", sent(now)
    book(desk, bob, now, soon)
    ask(desk, alice, now, soon, party_size=9)
    decide_next(now=now)
    yield "refused", sent(now)


def _reminder(booking, space, now):
    booking.events.update(at=now - hours(100))
    space.save(update_fields=["reminder_hours"])
    found = sent(now)
    booking.events.update(at=now)
    return found


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_letter_reads_well(person, alice, bob, host, space, soon, language):
    confirmed = {"email_confirmed_at": timezone.now()}
    change(alice, email="alice@example.org", language=language, **confirmed)
    type(space).objects.update(address="Невский проспект, 1", name="Пространство")
    reader = person(language=language)
    found = {}
    for name, messages in letters(alice, bob, host, space, soon):
        [message] = messages
        for part in ("whole", "without its head"):
            reader.page.set_content(_page(message, part))
            wrong = [*misfits(reader.page, NARROWEST), *misfits(reader.page, NARROW)]
            if part == "whole":
                wrong += _faults(reader.page, *LOOKS[language])
                wrong += foreign_words(reader.page) if language == "ru" else []
            if wrong:
                found[name, part] = wrong
    assert found == {}


def _faults(page, size, scheme):
    found = violations(page, size, scheme)
    return [each for each in found if not any(f": {rule} (" in each for rule in OF_PAGES)]


def _page(message, part):
    page = html(message)
    return page if part == "whole" else page[: page.index("<style>")] + page.split("</style>")[1]
