"""How a body is read: JSON in UTF-8, and nothing that two readers could understand differently."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

MOST_NAMES = 50  # in one object


class StrictParser(Parser):
    """Refuse what RFC 8259 does not know (NaN) or leaves open: other encodings, a name twice.

    And objects with more names than any of ours has: each would be complained about, and 2 MB of
    them made an answer of 17 MB and took 400 MB of memory.
    """

    def parse_body(self, request: HttpRequest) -> Any:
        text = request.body.decode()
        return json.loads(text, object_pairs_hook=_once, parse_constant=_unknown)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise ValueError("there are too many names")
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _unknown(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
