"""The page that asks what becomes of bookings, as a browser reads it."""

import re
from html import unescape

HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def asked(answer) -> dict[str, str]:
    """Return the hidden fields of a question: what was posted, and what was shown."""
    assert answer.status_code in {409, 422}, answer.status_code
    _before, _form, last = answer.text.rpartition('<form method="post">')
    found = {unescape(name): unescape(value) for name, value in HIDDEN.findall(last)}
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def shown(answer) -> dict[str, str]:
    """Return nothing but what was shown."""
    return {name: value for name, value in asked(answer).items() if name == "bookings-shown"}
