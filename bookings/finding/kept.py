"""Pages that are rendered once and shown to many, with nobody in hand while they are rendered.

What differs from person to person is a blank: the name, the number of upcoming bookings, the CSRF
token, each form's request key. Everything else is a function of the key under which a page is
kept, so that nothing ever has to be invalidated: other content has another key.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from itertools import count
from secrets import token_hex
from typing import Any
from uuid import uuid4

from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from isal import isal_zlib

from accounts import replica
from accounts.models import User
from accounts.requests import PageRequest

#: Marks a blank in a rendered text. Nobody outside ever sees it, so nobody can write one.
MARK = token_hex(16)


class Blank(StrEnum):
    """What is filled in for each request."""

    NAME = "name"
    UPCOMING = "upcoming"
    TOKEN = "token"  # noqa: S105 - the name of a blank
    KEY = "key"  # a fresh one for each form
    INSIDE = "inside"  # another page


@dataclass(frozen=True)
class Page:
    """Rendered text, cut at its blanks: there is one text more than blanks."""

    texts: tuple[bytes, ...]
    blanks: tuple[Blank, ...]

    @classmethod
    def cut(cls, text: str, mark: str) -> "Page":
        """Cut a text that has blanks between two marks."""
        parts = re.split(f"{mark}([a-z]+){mark}", text)
        texts = tuple(part.encode() for part in parts[::2])
        return cls(texts, tuple(map(Blank, parts[1::2])))

    def packed(self) -> bytes:
        """Return the page compressed, for a cache that others share."""
        texts = [text.decode() for text in self.texts]
        return isal_zlib.compress(json.dumps([texts, self.blanks]).encode())

    @classmethod
    def unpacked(cls, packed: bytes) -> "Page":
        texts, blanks = json.loads(isal_zlib.decompress(packed))
        return cls(tuple(text.encode() for text in texts), tuple(map(Blank, blanks)))

    @property
    def size(self) -> int:
        return sum(map(len, self.texts))

    def filled(self, values: Mapping[Blank, Callable[[], bytes]]) -> bytes:
        return b"".join(self._pieces(values))

    def _pieces(self, values: Mapping[Blank, Callable[[], bytes]]) -> Iterator[bytes]:
        yield self.texts[0]
        for blank, text in zip(self.blanks, self.texts[1:], strict=True):
            yield values[blank]()
            yield text


@dataclass(frozen=True)
class Reader:
    """Who a page is for, as far as its templates may ask: never who it is."""

    is_authenticated: bool = False
    theme: str = ""
    time_zone: str = ""  # only where a page from a replica tells the time
    has_upcoming: bool = False
    is_space_staff: bool = False
    is_superuser: bool = False

    @classmethod
    def of(cls, user: Any) -> "Reader":
        if not user.is_authenticated:
            return cls()
        return cls(
            is_authenticated=True,
            theme=user.theme,
            time_zone=user.time_zone if replica.is_read() else "",
            has_upcoming=bool(user.upcoming_count),
            is_space_staff=user.is_space_staff,
            is_superuser=user.is_superuser,
        )


class _Marked:
    """The reader with blanks for a name: what templates see instead of the user."""

    def __init__(self, reader: Reader, blank: Callable[[Blank], SafeString]) -> None:
        self.is_authenticated = reader.is_authenticated
        self.theme = reader.theme
        self.time_zone = reader.time_zone
        self.is_space_staff = reader.is_space_staff
        self.is_superuser = reader.is_superuser
        self.upcoming_count = blank(Blank.UPCOMING) if reader.has_upcoming else 0
        self.get_short_name = blank(Blank.NAME)


def render(request: PageRequest, template: str, context: dict[str, Any], reader: Reader) -> Page:
    """Render a template as `django.shortcuts.render` would, but with blanks, for a mere reader."""

    def blank(name: Blank) -> SafeString:
        return mark_safe(f"{MARK}{name}{MARK}")  # noqa: S308 - hexadecimal digits

    marked = {
        "csrf_token": blank(Blank.TOKEN),
        "request_key": blank(Blank.KEY),
        "inside": blank(Blank.INSIDE),
    }
    faceless = _without_a_face(request, _Marked(reader, blank))
    return Page.cut(render_to_string(template, context | marked, faceless), MARK)


def _without_a_face(request: PageRequest, user: _Marked) -> HttpRequest:
    """Return a GET request for the same page that carries neither cookies nor a person."""
    shown: Any = HttpRequest()
    shown.method = "GET"
    shown.path, shown.path_info = request.path, request.path_info
    shown.META = {"QUERY_STRING": request.META.get("QUERY_STRING", "")}
    shown.GET = request.GET
    shown.resolver_match = request.resolver_match
    shown.htmx = request.htmx
    shown.user = user
    shown._messages = get_messages(request)  # a page that shows some isn't kept
    return shown  # type: ignore[no-any-return]  # an HttpRequest with more attributes


def fill(request: PageRequest, page: Page, inside: Page | None = None) -> bytes:
    """Return a page for whoever asked, with another page inside it."""
    forms, base = count(1), uuid4().hex
    token = get_token(request).encode()
    values: dict[Blank, Callable[[], bytes]] = {
        Blank.TOKEN: lambda: token,
        Blank.KEY: lambda: f"{base}-{next(forms)}".encode(),
    }
    if isinstance(person := request.user, User):
        values[Blank.NAME] = lambda: escape(person.get_short_name()).encode()
        values[Blank.UPCOMING] = lambda: str(person.upcoming_count).encode()
    if inside is not None:
        values[Blank.INSIDE] = lambda: inside.filled(values)
    return page.filled(values)
