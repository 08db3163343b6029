"""A mail's headers: its id, its thread, and how to unsubscribe."""

from email import policy as policies
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.policy import Policy
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode

from bookings.words.representation import event_id
from notifications.models import Delivery


class InOneLine(UnstructuredHeader, BaseHeader):
    """A header of addresses and ids in <…>, written unfolded.

    Python would fold a long one by encoding it (RFC 2047), and no mail program
    reads encoded ids and addresses: threads fall apart, and the unsubscribe button is missing.
    """

    def fold(self, *, policy: "Policy[Any]") -> str:
        return f"{self.name}: {self}{policy.linesep}"


#: Every mail of ours says this (RFC 3834), so that no "out of office" comes back.
AUTOMATIC = {"Auto-Submitted": "auto-generated"}

_REGISTRY = HeaderRegistry()
for _name in ("in-reply-to", "references", "list-unsubscribe"):
    _REGISTRY.map_to_type(_name, InOneLine)


class Mail(EmailMultiAlternatives):
    """A mail whose long ids and addresses stay unencoded."""

    def message(self, *, policy: Any = policies.default) -> Any:
        return super().message(policy=policy.clone(header_factory=_REGISTRY))


def headers(delivery: Delivery, *, unsubscribe: str = "") -> dict[str, str]:
    """Return a mail's own headers.

    Its id is made from its content, so that a mail sent twice, because a worker was killed
    before it could record the first, is recognised as one (RFC 5322, 3.6.4). Mails about one
    booking all reply to the same id, which no mail has: that makes a thread.
    """
    thread = _message_id(str(delivery.booking.code)) if delivery.booking else ""
    found = AUTOMATIC | {"Message-ID": _message_id(_told(delivery))}
    if thread:
        found |= {"In-Reply-To": thread, "References": thread}
    if unsubscribe:
        found |= {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        }
    return found


def _told(delivery: Delivery) -> str:
    if delivery.event is not None:
        return event_id(delivery.event)
    if delivery.booking is not None and delivery.reminds_of is not None:
        return f"{delivery.booking.code}.{delivery.reminds_of:%Y%m%dT%H%M}"
    return str(delivery.code)


def _message_id(left: str) -> str:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    right = f"[{host}]" if ":" in host else punycode(host)
    return f"<{left}@{right}>"
