"""The log as production writes it, in the test's own process."""

import io
import json
import logging
from contextlib import contextmanager

from config.watching import logs


class Lines(io.StringIO):
    def read_all(self):
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def called(self, message):
        return [line for line in self.read_all() if line["message"] == message]


@contextmanager
def written():
    """Yield the lines written meanwhile."""
    lines = Lines()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logs.json_formatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
