"""Receive Mesto's webhooks: verify the sender, handle each event once, answer quickly.

All it needs is standardwebhooks:

    WEBHOOK_SECRET=whsec_... python examples/webhook_receiver.py 8080

Mesto calls https addresses that anybody can reach. To try this on your own machine, write
WEBHOOK_ALLOW_PRIVATE=true into its .env, restart the site and its worker, and give the webhook
http://127.0.0.1:8080/ as its address. To get a secret, add the webhook first.
"""

import os
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MOST = 1024 * 1024  # bytes; what Mesto sends is a few thousand


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST:
            self.close_connection = True
            self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        try:
            # Over the raw bytes: JSON that is parsed and written again may differ.
            content = self.server.webhook.verify(body, dict(self.headers.items()))
        except WebhookVerificationError as error:
            print(f"refused: {error}", flush=True)
            self.answer(HTTPStatus.BAD_REQUEST)
            return
        self.server.receive(self.headers["webhook-id"], content)
        # Anything but 2xx, or no answer in ten seconds, makes Mesto send it again later.
        self.answer(HTTPStatus.NO_CONTENT)

    def answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print only what was received."""


class Server(ThreadingHTTPServer):
    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), Receiver)
        self.webhook = Webhook(secret)
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def receive(self, identity: str, content: dict[str, Any]) -> None:
        """Act on a message once. Mesto sends each at least once, so remember its id.

        A real program keeps the ids in its database, in the transaction that does
        the work.
        """
        with self.lock:
            if identity in self.seen:
                return
            self.seen.add(identity)
        booking = content["data"].get("booking", {})
        print(identity, content["type"], booking.get("code", ""), flush=True)


def main() -> None:
    server = Server(int(sys.argv[1]), os.environ["WEBHOOK_SECRET"])
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.environ.get("WEBHOOK_SECRET"):
        sys.exit(__doc__)
    main()
