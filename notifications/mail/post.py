"""The connection to the mail server: one for many mails, and what its answers mean."""

import logging
from collections.abc import Callable
from contextlib import suppress
from smtplib import (
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from typing import Any, Protocol, Self

from django.core.mail import EmailMessage, InvalidMailer, mailers

from accounts import watching
from notifications.outcomes import Again, Delivered, Outcome, Refused

logger = logging.getLogger("mesto.mail")

#: 5xx replies are permanent, 4xx temporary; 421 also ends the connection (RFC 5321, 4.2.1).
FOR_GOOD = 500
CLOSING = 421

#: A connection may break because of one mail; if it breaks again, it's the server.
BREAKS = 2


class Caused(Protocol):
    """A row that a request wrote."""

    @property
    def request_id(self) -> str: ...


class Post:
    """Sends mails over one connection, opened for the first of them."""

    def __init__(self) -> None:
        self._trouble = ""  # why nothing can be sent at all
        self._connection: Any = None
        self._breaks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, mail: EmailMessage) -> Outcome:
        """Hand over one mail, in the name of the request for which we work.

        Raises what is wrong with the mail itself.
        """
        if request_id := watching.request_id():
            mail.extra_headers = {**mail.extra_headers, "X-Request-ID": request_id}
        if not self._open():
            return Again(self._trouble, is_down=True)
        try:
            self._connection.send_messages([mail])
        except SMTPRecipientsRefused as error:
            [(code, words)] = error.recipients.values()
            return self._answered(code, words, mail)
        except (SMTPHeloError, SMTPSenderRefused) as error:
            # This is about us: the next mail would get the same answer.
            if error.smtp_code < FOR_GOOD:
                return self._answered(error.smtp_code, error.smtp_error, mail)
            return self._down(error)
        except SMTPResponseException as error:
            return self._answered(error.smtp_code, error.smtp_error, mail)
        except OSError as error:  # no answer in time, or the connection is gone
            return self._broken(error)
        except Exception:
            self._close()  # nobody knows how far it got
            raise
        return Delivered()

    def _open(self) -> bool:
        if self._trouble or self._connection is not None:
            return not self._trouble
        try:
            self._connection = mailers.default
            self._connection.open()
        except (InvalidMailer, OSError, ValueError) as error:  # smtplib's errors are OSErrors
            self._down(error)
        return not self._trouble

    def _answered(self, code: int, words: bytes | str, mail: EmailMessage) -> Outcome:
        text = _text(words)
        for address in mail.recipients():  # the delivery log names nobody
            text = text.replace(address, "…")
        if code == CLOSING:
            return self._broken(f"{code} {text}")
        return Refused(f"{code} {text}") if code >= FOR_GOOD else Again(f"{code} {text}")

    def _broken(self, error: OSError | str) -> Outcome:
        self._breaks += 1
        if self._breaks >= BREAKS:
            return self._down(error)
        self._close()
        return Again(_words(error))

    def _down(self, error: Exception | str) -> Outcome:
        self._trouble = _words(error)
        logger.warning("mail server: %s", self._trouble)
        self._close()
        return Again(self._trouble, is_down=True)

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):  # it may be gone already
                self._connection.close()
        self._connection = None


def send_each[Row: Caused](
    claim: Callable[[], Row | None],
    is_done: Callable[[Row, Post], bool],
    settle: Callable[[Row], object],
    *,
    limit: int,
) -> int:
    """Send what `claim` finds, each in the name of its request; return how many were tried.

    `is_done` tries once, and tells whether it is over; False when it may work later.
    """
    done = 0
    with Post() as post:
        while done < limit and (row := claim()):
            done += 1
            with watching.caused_by(row.request_id):
                if is_done(row, post):
                    settle(row)
    return done


def _words(error: Exception | str) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else words
