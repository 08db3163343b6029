"""A mail server that takes what it is sent, and sometimes says to come back later."""

import logging
import random
import time
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller

from chaos.history import Heard, Writer
from chaos.hooks import sequence_of
from scripts.postgres import free_port

logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would log every line it receives

#: How many in a hundred mails it puts off.
PUTS_OFF = 4


class Mailbox:
    """Writes each mail about an event down; its id is made of the event's."""

    def __init__(self, writer: Writer, *, seed: int = 1) -> None:
        self._writer, self._rng = writer, random.Random(seed)
        self.port = free_port()
        self.problems: list[str] = []
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    take_away, bring_back = stop, start

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self._rng.randrange(100) < PUTS_OFF:
            return "451 4.3.0 Come back later"
        message = message_from_bytes(envelope.content, policy=policy.default)
        event = str(message["Message-ID"]).strip("<>").partition("@")[0]
        booking, dot, number = event.rpartition(".")
        if dot and number.isdigit():  # reminders have a time there, and other mail no dot
            self._writer.write(
                Heard("mail", time.time(), event, booking, "mail", sequence_of(event))
            )
        return "250 OK"
