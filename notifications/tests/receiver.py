"""A real local HTTP server that records what it receives and answers as it is told to."""

import socket
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from config.tests.processes import PATIENCE


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int  # the sender's: requests over one connection share it
    at: datetime


@dataclass(frozen=True)
class Answer:
    """What to answer; `gap` drips the body, with this many seconds between bytes."""

    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    gap: float = 0


#: Says nothing until the receiver is closed or `let_go`.
HANG = Answer(status=0)

type Raw = Callable[["Receiver", socket.socket], None]


class Receiver:
    """`receiver.url`, `receiver.received`; `receiver.answers(Answer(500), to="/path")`.

    Scripted answers are given in turn, repeating the last one; without any it answers 204. An
    answer that is a function writes whatever it likes to the socket; then the connection is closed.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.received: list[Received] = []
        self._came = threading.Condition()
        self._scripts: dict[str, deque[Answer | Raw]] = defaultdict(deque)
        self._closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self.connected = 0  # how many connections there have been
        self._server = _Server((host, 0), self, tls)
        self.port = self._server.server_address[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{host}:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def answers(self, *answers: Answer | Raw, to: str = "/") -> None:
        self._scripts[to] = deque(answers)

    def let_go(self) -> None:
        """Answer the requests that hang."""
        self._closing.set()

    def wait(self, seconds: float) -> bool:
        """Sleep during an answer; true when the receiver is closing."""
        return self._closing.wait(seconds)

    def wait_for(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait until this many requests have arrived."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, seconds), (
                f"{len(self.received)} requests came, not {count}"
            )

    def bodies(self) -> list[bytes]:
        return [request.body for request in list(self.received)]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def _record(self, request: Received) -> Answer | Raw:
        with self._came:
            self.received.append(request)
            self._came.notify_all()
            script = self._scripts[request.path]
            if not script:
                return Answer()
            return script.popleft() if len(script) > 1 else script[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed halfway through
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.server.receiver
        port, at = self.client_address[1], datetime.now(UTC)
        answer = receiver._record(Received(self.command, self.path, headers, body, port, at))
        if not isinstance(answer, Answer):
            self.close_connection = True
            answer(receiver, self.connection)
        elif answer is HANG:
            self.close_connection = True
            receiver.wait(PATIENCE)
        else:
            self._write(answer)

    do_GET = do_PUT = do_HEAD = do_POST

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        has_length = "Content-Length" in answer.headers or answer.status in (204, 304)
        if not has_length:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not answer.gap:
            self.wfile.write(answer.body)
            return
        for byte in answer.body:
            if self.server.receiver.wait(answer.gap):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], receiver: Receiver, tls: ssl.SSLContext | None
    ) -> None:
        self.receiver, self.tls = receiver, tls
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.receiver.connected += 1
        self.receiver._connections.add(connection)
        return connection, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(PATIENCE)
        with self.tls.wrap_socket(request, server_side=True) as wrapped:
            wrapped.settimeout(None)
            super().finish_request(wrapped, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.receiver._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: some tests are about senders that hang up."""


@contextmanager
def receiving(**options: Any) -> Iterator[Receiver]:
    receiver = Receiver(**options)
    try:
        yield receiver
    finally:
        receiver.close()


def drip(head: bytes, then: bytes = b"a", gap: float = 0.02) -> Raw:
    """Return an answer that starts like this and continues byte by byte forever."""

    def answer(receiver: Receiver, connection: socket.socket) -> None:
        end = time.monotonic() + PATIENCE
        with suppress(OSError):
            connection.sendall(head)
            while time.monotonic() < end and not receiver.wait(gap):
                connection.sendall(then)

    return answer
