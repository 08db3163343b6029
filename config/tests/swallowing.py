"""A network that loses the answer to a COMMIT: a proxy before the test's PostgreSQL."""

import select
import socket
import threading
from contextlib import contextmanager, suppress

from django.db import connection

COMMIT = b"COMMIT\x00"  # as psycopg sends it, by itself


class Swallowing:
    """Passes everything through; once armed, it delivers a COMMIT and throws its answer away."""

    def __init__(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_armed, self.left, self.swallowed = False, 0, 0
        self.goes_down, self.is_down = False, False
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self, *, after=0, goes_down=False):
        """Lose the answer to the next COMMIT, or to a later one; then perhaps refuse everybody."""
        self.is_armed, self.left, self.goes_down = True, after, goes_down

    def _accept(self):
        with suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                if self.is_down:
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(self.server) as server, suppress(OSError):
            is_lost = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 20)
                    if not data:
                        return
                    if ready is client:
                        is_lost = self._is_to_be_lost(data)
                        server.sendall(data)
                    elif is_lost:  # the server has answered, so it has committed
                        self.swallowed += 1
                        self.is_down = self.goes_down
                        return
                    else:
                        client.sendall(data)

    def _is_to_be_lost(self, sent):
        if not self.is_armed or COMMIT not in sent:
            return False
        self.left -= 1
        self.is_armed = self.left >= 0
        return not self.is_armed


@contextmanager
def swallowing():
    """Let the test's connection pass through a proxy that can lose answers."""
    own = connection.settings_dict
    proxy = Swallowing((own["HOST"], int(own["PORT"])))
    connection.close()
    connection.settings_dict = {**own, "HOST": "127.0.0.1", "PORT": str(proxy.port)}
    try:
        yield proxy
    finally:
        connection.close()
        connection.settings_dict = own
        proxy.listener.close()
