"""A mail server for tests: real SMTP on this machine, and what it received."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.test import override_settings

from config.tests.processes import PATIENCE

SMTP = "django.core.mail.backends.smtp.EmailBackend"

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd logs every line it receives


class Receiver:
    """Accepts every message, unless told what to answer.

    `answers` maps a recipient to the reply to RCPT: an SMTP line, or "drop" to hang up, or "hang"
    to say nothing. `to_sender` and `to_data`, if set, are the replies to every MAIL and DATA.
    """

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.connections = 0
        self.answers: dict[str, str] = {}
        self.to_sender = ""
        self.to_data = ""

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.to_sender:
            return self.to_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        reply = self.answers.get(address, "250 OK")
        if reply == "drop":
            server.transport.abort()
        elif reply == "hang":
            await asyncio.sleep(PATIENCE)  # or until the other side hangs up
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.to_data:
            return self.to_data
        self.raw.append(envelope.content)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [str(message["To"]) for message in self.messages]


def _knows(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.password == b"right")


class _OnAnyPort(Controller):
    """Use any free port, as the requested one, 0, means."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def mailers(port: int, **options: Any) -> dict[str, Any]:
    """Return MAILERS for a server on this machine."""
    where = {"host": "127.0.0.1", "port": port, "timeout": PATIENCE}
    return {"default": {"BACKEND": SMTP, "OPTIONS": {**where, **options}}}


@contextmanager
def receiving(**options: Any) -> Iterator[Receiver]:
    """Run a receiver and send this process's mail to it."""
    receiver = Receiver()
    controller = _OnAnyPort(
        receiver,
        hostname="127.0.0.1",
        port=0,
        authenticator=_knows,
        auth_require_tls=False,
    )
    controller.start()
    receiver.port = controller.port
    try:
        with override_settings(MAILERS=mailers(controller.port, **options)):
            yield receiver
    finally:
        controller.stop()


@contextmanager
def silence() -> Iterator[int]:
    """Yield the port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    """Return a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
