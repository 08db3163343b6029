"""How a body is parsed: JSON in UTF-8, and nothing that two parsers could read differently."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

MOST_NAMES = 50  # per object


class StrictParser(Parser):
    """Refuse what RFC 8259 doesn't allow (NaN) or leaves open: other encodings, duplicate names.

    Also objects with more names than any of ours: each would get an error of its own, and 2 MB of
    them produced a 17 MB answer and took 400 MB of memory.
    """

    def parse_body(self, request: HttpRequest) -> Any:
        text = request.body.decode()
        return json.loads(text, object_pairs_hook=_once, parse_constant=_unknown)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise ValueError("there are too many names")
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _unknown(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
