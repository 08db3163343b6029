"""gunicorn's worker, but it doesn't wait until a client has hung up, and knows how long one waits.

After each answer gunicorn waits for that, up to two seconds, because the kernel cuts an answer off
while something of the request is unread (RFC 9112, 9.6). A client far away would occupy a process
for as long as its packets travel, a silent one for two seconds. When the whole request has been
read, there is nothing to wait for.

A request may have been waiting for us, in the kernel: see `accounts.lateness`.
"""

import socket
import struct
import sys
from contextlib import suppress
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.workers.sync import SyncWorker

from accounts import lateness
from config.draining import is_draining

#: Where `struct tcp_info` has the milliseconds since the last data arrived (linux/tcp.h).
LAST_DATA_RECEIVED = 8 + 11 * 4


class Connection:
    """A client's socket, which is over as soon as its whole request was read and answered."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self.request: Any = None
        self.is_over = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def shutdown(self, how: int) -> None:
        self._client.shutdown(how)
        self.is_over = self.request is not None and self._was_read()

    def recv(self, size: int) -> bytes:
        return b"" if self.is_over else self._client.recv(size)

    def _was_read(self) -> bool:
        reader = self.request.body.reader
        return isinstance(reader, LengthReader) and reader.length == 0 and not self._has_more()

    def _has_more(self) -> bool:
        try:
            return bool(self._client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False


def waited(client: socket.socket) -> float:
    """Return for how many seconds what a client sent has been waiting to be read."""
    if sys.platform != "linux" or client.family == socket.AF_UNIX:
        return 0.0
    try:
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_RECEIVED + 4)
    except OSError:  # gone
        return 0.0
    milliseconds: int = struct.unpack_from("I", info, LAST_DATA_RECEIVED)[0]
    return milliseconds / 1000


class Worker(SyncWorker):  # type: ignore[misc]  # gunicorn ships no types
    def run(self) -> None:
        super().run()
        if is_draining():
            self._serve_who_waits()

    def _serve_who_waits(self) -> None:
        """Serve who was let in before we stopped: closing the socket would cut them off."""
        for listener in self.sockets:
            with suppress(BlockingIOError, ConnectionAbortedError):
                while True:
                    self.notify()
                    self.accept(listener)

    def handle(self, listener: Any, client: socket.socket, addr: Any) -> None:
        with lateness.arrived(ago=waited(client)):
            super().handle(listener, Connection(client), addr)

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> None:
        client.request = req
        super().handle_request(listener, req, client, addr)
