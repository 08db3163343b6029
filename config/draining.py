"""Stop serving without cutting a request off: first the balancer hears of it, then it happens.

gunicorn closes its socket as soon as it is told to stop, and with it the connections that nobody
has read yet. So for DRAIN_SECONDS after SIGTERM everything is served as before, while `/readyz`
says 503; then gunicorn stops, letting requests in progress finish. A busy node may have more
waiting than it can serve in that time; its workers serve those too (`config.worker`).
"""

import mmap
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

_told = mmap.mmap(-1, 1)  # one byte that gunicorn and its workers share, because they fork


def is_draining() -> bool:
    return _told[0] == 1


def install(server: Any, seconds: float) -> None:
    """Make gunicorn's first process drain on the first SIGTERM; a second one stops it at once."""
    stop: Callable[[], None] = server.handle_term

    def handle_term() -> None:
        if is_draining() or not seconds:
            stop()
            return
        _told[0] = 1
        server.log.info("Draining for %s s", seconds)
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
        timer.daemon = True
        timer.start()

    server.handle_term = handle_term
