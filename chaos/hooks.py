"""A receiver of webhooks: verifies each call, writes it down, and sometimes is no good.

Verification follows the Standard Webhooks specification 1.0, written out: the application signs
with a library.
"""

import base64
import hashlib
import hmac
import json
import random
import secrets
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chaos.history import Heard, Writer
from chaos.scene import Hook
from scripts.postgres import free_port

AIMS = ("contested", "free", "halls", "quota")
PREFIX = "whsec_"
TOLERANCE = 300  # seconds that clocks may differ, as the specification has it
SILENCE = 4.0  # seconds: longer than the caller waits
#: How many in a hundred calls it answers with 500, cuts, and leaves without an answer.
FAILS, CUTS, STALLS = 4, 2, 1


class Hooks:
    """One server with an address for each webhook: /contested, /free …"""

    def __init__(self, writer: Writer, *, seed: int = 1) -> None:
        self._writer, self._rng, self._lock = writer, random.Random(seed), threading.Lock()
        self.port = free_port()
        self.hooks = {aim: Hook(f"http://127.0.0.1:{self.port}/{aim}", _secret()) for aim in AIMS}
        self.problems: list[str] = []
        self._server: _Server | None = None

    def start(self) -> None:
        self._server = _Server(self.port, self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    take_away, bring_back = stop, start

    def hear(self, name: str, headers: dict[str, str], body: bytes) -> int:
        """Take a call; return the status to answer with, 0 to cut it, -1 for silence."""
        hook = self.hooks.get(name)
        if hook is None or not is_ours(hook.secret, headers, body):
            self._complain(f"{name}: a call that isn't signed by us: {body[:200]!r}")
            return 400
        with self._lock:
            luck = self._rng.randrange(100)
        if luck < FAILS:
            return 500  # not taken, and so not written down
        content = json.loads(body)
        if content["type"] != "ping":
            self._note(name, headers["webhook-id"], content)
        if luck < FAILS + CUTS:
            return 0
        return -1 if luck < FAILS + CUTS + STALLS else 204

    def _note(self, name: str, event: str, content: dict[str, Any]) -> None:
        data = content["data"]
        if data["id"] != event:
            self._complain(f"{name}: {event} brings {data['id']}")
        self._writer.write(
            Heard(
                listener=name,
                at=time.time(),
                event=event,
                booking=data["booking"]["code"],
                type=content["type"],
                sequence=sequence_of(event),
            )
        )

    def _complain(self, text: str) -> None:
        with self._lock:
            self.problems.append(text)


def sequence_of(event: str) -> int:
    """Return an event's number: its id is the booking's code, a dot, and that."""
    return int(event.rpartition(".")[2])


def is_ours(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Tell whether a call was signed with this secret a moment ago."""
    identity, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(time.time() - int(at)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{identity}.{at}.".encode() + body, hashlib.sha256)
    expected = f"v1,{base64.b64encode(signed).decode()}"
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected, each) for each in given)


def _secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int, hooks: Hooks) -> None:
        self.hooks, self._open = hooks, set[socket.socket]()
        super().__init__(("127.0.0.1", port), _Call)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: workers are killed in the middle of a call."""

    def close(self) -> None:
        """Refuse new connections and cut those that are open."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.hooks.hear(self.path.strip("/"), headers, body)
        if status > 0:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if status < 0:
            time.sleep(SILENCE)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was heard is in the history."""
