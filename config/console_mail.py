"""Mail without a mail server: printed legibly, with links that can be opened.

In transit a mail is encoded: Cyrillic is unreadable, and long links are broken.
"""

from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import console

LINE = "-" * 79


class EmailBackend(console.EmailBackend):
    def write_message(self, message: EmailMessage) -> None:
        headers: dict[str, Any] = {
            "Subject": message.subject,
            "From": message.from_email,
            "To": ", ".join(message.to),
            "Attached": ", ".join(_names(message)),
        }
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        self.stream.write("\n".join([LINE, *lines, "", str(message.body).rstrip(), LINE, ""]))


def _names(message: EmailMessage) -> list[str]:
    return [getattr(each, "filename", None) or "?" for each in message.attachments]
