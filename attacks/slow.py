"""Clients that send a byte now and then: how many of them keep everybody else waiting."""

import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

from attacks.report import Outcome

#: An answer that takes longer than this is no answer.
PATIENCE = 5.0


@dataclass
class Slow:
    """What a slow client sends at once; it then sends nothing more than a byte."""

    name: str
    head: bytes


KINDS = (
    Slow("headers that never end", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: "),
    Slow(
        "a form that never comes",
        b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=",
    ),
    Slow("a connection that says nothing", b""),
)


def check(port: int, *, most: int, name: str, may_block: bool) -> Outcome:
    """Open more and more slow connections, until nobody else is answered."""
    outcome = Outcome(f"Slow clients, {name}")
    for kind in KINDS:
        blocked_by = until_blocked(port, kind, most)
        outcome.tried += most if blocked_by is None else blocked_by
        said = f"{blocked_by} block it" if blocked_by else f"{most} don't block it"
        outcome.notes.append(f"{kind.name}: {said}")
        if blocked_by is not None and not may_block:
            outcome.findings.append(f"{kind.name}: {blocked_by} clients block everybody else")
    return outcome


def until_blocked(port: int, kind: Slow, most: int) -> int | None:
    with ExitStack() as held:
        for number in range(1, most + 1):
            slow = held.enter_context(
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            )
            slow.sendall(kind.head)
            if number < 4 or number % 10 == 0:
                time.sleep(0.3)
                if not is_answered(port):
                    return number
    return None


def is_answered(port: int) -> bool:
    """Ask as a quick client does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as quick:
            quick.settimeout(PATIENCE)
            quick.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return quick.recv(20).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
