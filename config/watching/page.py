"""`/metrics`, and the same for a worker: for Prometheus, and for nobody else."""

import hmac
import logging
import threading
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.watching.metrics import exposition

logger = logging.getLogger("mesto.metrics")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    from config.watching.depths import Depths  # models, which aren't loaded with the URLs

    if not may_read(request.META, is_forwarded=not settings.TRUSTED_PROXIES):
        return HttpResponse("not found\n", content_type="text/plain", status=404)
    return HttpResponse(exposition(also=Depths()), content_type=CONTENT_TYPE)


def may_read(about: dict[str, Any], *, is_forwarded: bool) -> bool:
    """Tell whether a request knows METRICS_TOKEN, or comes from an address of METRICS_ALLOW.

    Behind a proxy that we don't know of (`is_forwarded`), everybody has the proxy's address.
    """
    token = settings.METRICS["token"]
    given = str(about.get("HTTP_AUTHORIZATION", ""))
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    if is_forwarded and ("HTTP_X_FORWARDED_FOR" in about or "HTTP_FORWARDED" in about):
        return False
    try:
        address = ip_address(str(about.get("REMOTE_ADDR", "")))
    except ValueError:
        return False
    return any(address in ip_network(each, strict=False) for each in settings.METRICS["allow"])


# --- A worker's ---


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: it would be a line every few seconds."""


def _worker_page(about: dict[str, Any], start: Any) -> Iterable[bytes]:
    if about.get("PATH_INFO") != "/metrics" or not may_read(about, is_forwarded=True):
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"not found\n"]
    start("200 OK", [("Content-Type", CONTENT_TYPE)])
    return [exposition()]


class WorkerPage:
    """A small server in a thread of its own, until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        self._server = make_server(host, port, _worker_page, handler_class=Quiet)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics")
        self._thread.daemon = True
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve_worker() -> WorkerPage | None:
    """Answer for this worker where WORKER_METRICS says, if it does. Port 0 is any free one."""
    if not settings.METRICS["worker"]:
        return None
    host, _colon, port = str(settings.METRICS["worker"]).rpartition(":")
    try:
        return WorkerPage(host.strip("[]"), int(port))
    except OSError:  # another worker is there; this one can work all the same
        logger.exception("nobody can ask this worker for its metrics")
        return None
