"""A network between the application and its database that loses answers to COMMIT."""

import random
import select
import socket
from contextlib import suppress
from threading import Lock, Thread

COMMIT = b"COMMIT\x00"  # as psycopg sends it, by itself


class Network:
    """A proxy: now and then a COMMIT arrives, and its answer doesn't; the connection is cut."""

    def __init__(self, port: int, *, share: float, seed: int = 1) -> None:
        self._server, self._share = ("127.0.0.1", port), share
        self._rng, self._lock = random.Random(seed), Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0  # answers
        Thread(target=self._accept, daemon=True).start()

    def calm(self) -> None:
        """Lose nothing from now on."""
        self._share = 0

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self._server) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            is_lost = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 20)
                    if not data:
                        return
                    if ready is client:
                        is_lost = COMMIT in data and self._is_unlucky()
                        server.sendall(data)
                    elif is_lost:  # the server has answered, so it has committed
                        return
                    else:
                        client.sendall(data)

    def _is_unlucky(self) -> bool:
        with self._lock:
            found = self._rng.random() < self._share
            self.lost += found
        return found
