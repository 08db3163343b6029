"""gunicorn's worker, but it doesn't wait until a client has hung up, and leaves nobody waiting.

After each answer gunicorn waits for that, up to two seconds, because the kernel cuts an answer off
while something of the request is unread (RFC 9112, 9.6). A client far away would occupy a process
for as long as its packets travel, a silent one for two seconds. When the whole request has been
read, there is nothing to wait for.
"""

import socket
from contextlib import suppress
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.workers.sync import SyncWorker

from config.draining import is_draining


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
        super().handle(listener, Connection(client), addr)

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> None:
        client.request = req
        super().handle_request(listener, req, client, addr)
