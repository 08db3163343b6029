"""Connections to checked addresses, each with one deadline for everything.

A socket's timeout is for silence: a peer that sends a byte now and then could hold a call forever.
So here every read and write waits until the call's deadline at most.
"""

import math
import socket
import ssl
import time
from functools import cache
from ipaddress import IPv4Address
from threading import Lock
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from notifications.webhooks.guard import IP, Address, Origin

IDLE = 10.0  # seconds that a connection is kept for the next call
MOST_IDLE = 256


def _remaining(deadline: float) -> float | None:
    """Return the seconds left. Raises TimeoutError."""
    if math.isinf(deadline):
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the call has timed out")
    return seconds


class TimedSocket(socket.socket):
    """A socket that knows until when it may wait, on the monotonic clock."""

    deadline = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_remaining(self.deadline))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_remaining(self.deadline))
        super().sendall(*args, **kwargs)


class TimedTLS(ssl.SSLSocket):
    """The same under TLS, whose `sendall` calls `send` for each part."""

    deadline = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_remaining(self.deadline))
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_remaining(self.deadline))
        return super().send(*args, **kwargs)


@cache
def trust() -> ssl.SSLContext:
    """Verify certificates and names by what this machine trusts; made once, as it reads a lot."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTLS
    return context


class _ToOneAddress:
    """Connects to the checked address and looks nothing up; the name is for TLS and the server."""

    ip: IP
    deadline: float
    sock: Any

    def _new_conn(self) -> socket.socket:
        family = socket.AF_INET if isinstance(self.ip, IPv4Address) else socket.AF_INET6
        new = TimedSocket(family, socket.SOCK_STREAM)
        try:
            new.settimeout(_remaining(self.deadline))
            new.connect((str(self.ip), self.port))  # type: ignore[attr-defined]  # urllib3 has more than its stubs
            new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            new.settimeout(_remaining(self.deadline))  # TLS inherits it for its handshake
        except BaseException:
            new.close()
            raise
        return new

    def until(self, deadline: float) -> None:
        """Set the deadline of the next call."""
        self.deadline = deadline
        if self.sock is not None:
            self.sock.deadline = deadline
        self.timeout = _remaining(deadline)


class PlainConnection(_ToOneAddress, HTTPConnection):
    pass


class SecureConnection(_ToOneAddress, HTTPSConnection):
    pass


type Connection = PlainConnection | SecureConnection


def connect(address: Address, ip: IP, *, deadline: float) -> Connection:
    """Open a connection. Raises OSError, including ssl.SSLError and TimeoutError."""
    connection: Connection
    if address.scheme == "https":
        connection = SecureConnection(
            str(ip), address.port, ssl_context=trust(), server_hostname=address.host
        )
    else:
        connection = PlainConnection(str(ip), address.port)
    connection.ip = ip
    connection.until(deadline)
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    connection.until(deadline)
    return connection


class Idle:
    """Connections kept for the next call to the same host; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[Origin, list[tuple[float, Connection]]] = {}
        self._swept_at = 0.0

    def take(self, address: Address, among: list[IP], *, deadline: float) -> Connection | None:
        """Return one that leads to one of the addresses that were just checked."""
        while (found := self._pop(address.origin, among)) is not None:
            if found.is_connected:
                found.until(deadline)
                return found
            found.close()  # the other side has closed it meanwhile
        return None

    def _pop(self, origin: Origin, among: list[IP]) -> Connection | None:
        with self._lock:
            waiting = self._waiting.get(origin, [])
            for n in reversed(range(len(waiting))):
                if waiting[n][1].ip in among:
                    return waiting.pop(n)[1]
        return None

    def keep(self, address: Address, connection: Connection) -> None:
        now = time.monotonic()
        with self._lock:
            if now > self._swept_at + 1:
                self._sweep(before=now - IDLE)
                self._swept_at = now
            if sum(map(len, self._waiting.values())) < MOST_IDLE:
                self._waiting.setdefault(address.origin, []).append((now, connection))
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._sweep(before=math.inf)

    def _sweep(self, *, before: float) -> None:
        for origin, waiting in list(self._waiting.items()):
            self._waiting[origin] = [row for row in waiting if row[0] > before]
            for since, connection in waiting:
                if since <= before:
                    connection.close()
            if not self._waiting[origin]:
                del self._waiting[origin]
