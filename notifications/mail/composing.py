"""Turns a delivery into a mail: text, HTML, and an invitation for the calendar."""

import re
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from bookings.models import BookingEvent
from notifications.calendars.ics import METHODS, invitation
from notifications.mail.headers import Mail, headers
from notifications.mail.letters import Letter, of_event, of_reminder
from notifications.mail.readers import Reader
from notifications.models import Delivery

#: What a calendar has to know. A refused booking was never in one.
INVITED = frozenset(METHODS)

#: Unicode's Cc, and the line and paragraph separators that aren't among them.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def compose(delivery: Delivery, *, to: Reader, now: datetime) -> Mail:
    """Write a delivery's mail, in its reader's language."""
    with translation.override(to.language):
        letter = _letter(delivery, to=to, now=now)
        unsubscribe = letter.unsubscribe.url if letter.unsubscribe else ""
        mail = written(letter, to=to.email, headers=headers(delivery, unsubscribe=unsubscribe))
        if delivery.event is not None and delivery.event.kind in INVITED:
            _invite(mail, delivery.event, to=to)
    return mail


def written(letter: Letter, *, to: str, headers: dict[str, str]) -> Mail:
    """Render a letter as text and as HTML, in the active language."""
    mail = Mail(
        subject=_one_line(letter.subject),
        body=_text(letter),
        from_email=settings.MAIL_FROM,
        to=[to],
        headers=headers,
    )
    mail.attach_alternative(_html(letter), "text/html")
    return mail


def _letter(delivery: Delivery, *, to: Reader, now: datetime) -> Letter:
    if delivery.event is not None:
        return of_event(delivery.event, to=to, now=now)
    assert delivery.booking is not None
    return of_reminder(delivery.booking, to=to, now=now)


def _invite(mail: Mail, event: BookingEvent, *, to: Reader) -> None:
    """Add the invitation twice, because mail programs look in one place or the other.

    Beside text and HTML, with its method, is where Gmail and Outlook offer their buttons (RFC 6047,
    section 2.4); others show only what is attached.
    """
    _name, organizer = parseaddr(settings.MAIL_FROM)
    found = invitation(
        event, organizer=organizer, attendee=to.email, url=f"{settings.SITE_URL}{to.ticket}"
    )
    content = found.content.decode()
    mail.attach_alternative(content, f"text/calendar; method={found.method}")
    mail.attach("invite.ics", content, f"text/calendar; method={found.method}")


def _text(letter: Letter) -> str:
    template = get_template("notifications/mail/letter.txt")
    written = template.template.render(Context({"letter": letter}, autoescape=False))  # type: ignore[attr-defined]  # Django's engine
    return f"{str(written).strip()}\n"


def _html(letter: Letter) -> str:
    return get_template("notifications/mail/letter.html").render(
        {"letter": letter, "language": translation.get_language()}
    )


def _one_line(text: str) -> str:
    """Return text that is safe in a header: people choose the names of places.

    Only control characters and line ends go. The joiners in Persian words, Indic letters and family
    emoji, and direction marks, are not control characters: they are part of the text.
    """
    return CONTROLS.sub(" ", text).strip()
