"""What stands between members and the site in a run, and loses requests and answers: in small."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

from config.tests import http

#: What may happen to a request instead of an answer.
CUT = "cut"  # before the site has it
LOSE = "lose"  # the site has answered, and nobody hears
Misfortune = str | tuple[int, dict[str, str], str]  # or another answer: status, headers, text

HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}


class Balancer:
    """Forwards requests, except those that a misfortune is planned for.

    `balancer.next("POST", LOSE, CUT)`: the next two POSTs.
    """

    def __init__(self, site: str) -> None:
        self.site = site
        self.seen: list[tuple[str, str, str]] = []  # method, path and key of each request
        self._planned: dict[str, deque[Misfortune]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False  # closed when all have hung up
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, method: str, *misfortunes: Misfortune) -> None:
        self._planned[method] = deque(misfortunes)

    def take(self, method: str) -> Misfortune:
        planned = self._planned.get(method)
        return planned.popleft() if planned else ""

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def before(site: str) -> Iterator[Balancer]:
    found = Balancer(site)
    try:
        yield found
    finally:
        found.close()


def _handler(balancer: Balancer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = self.headers.get("Idempotency-Key", "")
            balancer.seen.append((self.command, self.path, key))
            what = balancer.take(self.command)
            if isinstance(what, tuple):
                self.send(*what)
                return
            if what == CUT:
                self.close_connection = True
                return
            answer = self.ask(body)
            if what == LOSE:
                self.close_connection = True
                return
            headers = [(n, v) for n, v in answer.headers.multi_items() if n.lower() not in HOP]
            self.send(answer.status_code, headers, answer.text)

        def ask(self, body: bytes) -> httpx.Response:
            headers = {n: v for n, v in self.headers.items() if n.lower() not in HOP}
            with http.client(balancer.site) as client:
                return client.request(self.command, self.path, content=body, headers=headers)

        def send(self, status: int, headers: Any, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            for name, value in dict(headers).items() if isinstance(headers, dict) else headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = forward

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
