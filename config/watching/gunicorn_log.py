"""gunicorn's log, in our format and without lines for requests, which would hold addresses."""

from typing import Any

from gunicorn.glogging import Logger as Theirs


class Logger(Theirs):  # type: ignore[misc]  # gunicorn ships no types
    def access(self, *_: Any) -> None:
        """Leave it to `config.watching.requests`, also where GUNICORN_CMD_ARGS asks for a log."""
