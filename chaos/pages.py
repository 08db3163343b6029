"""What a reader finds on a page: forms, the state of a booking, what is called the reader's own."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OWN = re.compile(rf'href="/bookings/({UUID})/')
CODE = re.compile(rf"/bookings/({UUID})/")
STATE = re.compile(r'class="chip state (\w+)"')
HEADLINE = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
REASONS = re.compile(r'<ul class="problems">(.*?)</ul>', re.DOTALL)
SIGNED_IN = 'action="/accounts/logout/"'


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method", "").lower() == "post":
            self._open = Form(values.get("action", ""))
            self.found.append(self._open)
        elif tag == "input" and self._open is not None and "name" in values:
            self._open.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms(page: str) -> list[Form]:
    """Return the forms that post something, in their order."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


def own(page: str) -> list[str]:
    """Return the codes of the bookings that a page links to: only one's own have an address."""
    return sorted(set(OWN.findall(page)))


def code_in(address: str) -> str:
    """Return the code of the booking that an address is of; empty if it is of none."""
    found = CODE.search(address)
    return found[1] if found else ""


def state(page: str) -> str:
    """Return the state of the booking that a page shows."""
    found = STATE.search(page)
    return found[1].upper() if found else ""


def is_signed_in(page: str) -> bool:
    return SIGNED_IN in page


def said(page: str) -> str:
    """Return a page's headline and the reasons it gives, as text."""
    parts = [*HEADLINE.findall(page)[:1], *REASONS.findall(page)[:1]]
    text = re.sub(r"<[^>]+>", " ", " ".join(parts))
    return " ".join(text.split())
