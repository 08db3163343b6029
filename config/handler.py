"""Django's handler of requests, which refuses what Django alone would die of."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Request(WSGIRequest):
    """A request that can be refused whatever encoding it names.

    Django decodes the query with it while it makes the request, before any middleware, so one that
    isn't for text (`charset=hex`) would end in a traceback. See also `config.middleware.readable`.
    """

    def _set_content_type_params(self, meta: Any) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # not in the stubs
        except LookupError:
            self._encoding = "latin-1"  # not ours, so it is refused


class Handler(WSGIHandler):
    request_class = Request
