"""From what is to be told to one mail: text, HTML, and an invitation for the calendar."""

import re
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from accounts.models import User
from bookings.models import BookingEvent
from notifications.calendars.ics import METHODS, invitation
from notifications.mail.headers import Mail, headers
from notifications.mail.letters import Letter, of_event, of_reminder
from notifications.models import Delivery

#: What a calendar has to know. A refusal never was in one.
INVITED = frozenset(METHODS)

#: Cc of Unicode, and what ends a line or a paragraph without being one of those.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def compose(delivery: Delivery, *, to: User, now: datetime) -> Mail:
    """Write the mail of a delivery, in its reader's language."""
    with translation.override(language_of(to)):
        letter = _letter(delivery, to=to, now=now)
        unsubscribe = letter.unsubscribe.url if letter.unsubscribe else ""
        mail = written(letter, to=to.email, headers=headers(delivery, unsubscribe=unsubscribe))
        if delivery.event is not None and delivery.event.kind in INVITED:
            _invite(mail, delivery.event, to=to)
    return mail


def written(letter: Letter, *, to: str, headers: dict[str, str]) -> Mail:
    """Write a letter as text and as HTML, in the language that is active."""
    mail = Mail(
        subject=_one_line(letter.subject),
        body=_text(letter),
        from_email=settings.MAIL_FROM,
        to=[to],
        headers=headers,
    )
    mail.attach_alternative(_html(letter), "text/html")
    return mail


def language_of(user: User) -> str:
    """Return the language a person chose; what their browser asks for isn't known here."""
    return user.language or settings.LANGUAGE_CODE


def _letter(delivery: Delivery, *, to: User, now: datetime) -> Letter:
    if delivery.event is not None:
        return of_event(delivery.event, to=to, now=now)
    assert delivery.booking is not None
    return of_reminder(delivery.booking, to=to, now=now)


def _invite(mail: Mail, event: BookingEvent, *, to: User) -> None:
    """Add the invitation twice: mail programs look for it in one place or the other.

    Beside text and HTML, with its method, is where Gmail and Outlook offer their buttons (RFC 6047,
    section 2.4); others show only what is attached.
    """
    _name, organizer = parseaddr(settings.MAIL_FROM)
    found = invitation(event, organizer=organizer, attendee=to.email)
    content = found.content.decode()
    mail.attach_alternative(content, f"text/calendar; method={found.method}")
    mail.attach("invite.ics", content, f"text/calendar; method={found.method}")


def _text(letter: Letter) -> str:
    template = get_template("notifications/mail/letter.txt")
    written = template.template.render(Context({"letter": letter}, autoescape=False))  # type: ignore[attr-defined]
    return f"{str(written).strip()}\n"


def _html(letter: Letter) -> str:
    return get_template("notifications/mail/letter.html").render(
        {"letter": letter, "language": translation.get_language()}
    )


def _one_line(text: str) -> str:
    """Return what may stand in a header: names of places come from people.

    Only controls and ends of lines go. The joiners that Persian words, Indic letters and families
    of emoji are made with, and marks of direction, are no controls: they are part of the letters.
    """
    return CONTROLS.sub(" ", text).strip()
