"""Outgoing mail, as a mail program reads it."""

from email import message_from_bytes, policy

from django.core import mail

from notifications.mail.sending import deliver_mail
from notifications.relay import fan_out
from notifications.reminders import remind


def sent(now):
    """Send what is due; return the mails."""
    mail.outbox.clear()
    while fan_out(now=now) or remind(now=now) or deliver_mail(now=now):
        pass
    return [
        message_from_bytes(each.message(policy=policy.SMTP).as_bytes(), policy=policy.default)
        for each in mail.outbox
    ]


def text(message):
    return message.get_body(preferencelist=("plain",)).get_content().replace("\r\n", "\n")


def html(message):
    return message.get_body(preferencelist=("html",)).get_content()


def calendars(message):
    """Return the iCalendar parts: the alternative to the text, and the attachment."""
    return [part for part in message.walk() if part.get_content_type() == "text/calendar"]
