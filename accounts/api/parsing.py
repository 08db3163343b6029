"""How a body is read: JSON in UTF-8, and nothing that two readers could understand differently."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """Refuse what RFC 8259 does not know (NaN) or leaves open: other encodings, a name twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        text = request.body.decode()
        return json.loads(text, object_pairs_hook=_once, parse_constant=_unknown)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _unknown(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
