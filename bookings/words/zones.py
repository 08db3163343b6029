"""Whose clock shows a time: named wherever that isn't obvious."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse

from accounts import time_zones
from accounts.models import User
from spaces.models import Space


@dataclass(frozen=True)
class Zones:
    """The zones of what a page lists, and the reader's own; empty when unknown."""

    shown: frozenset[str]
    reader: str = ""

    @classmethod
    def of(cls, spaces: Iterable[Space], *, reader: User | None) -> "Zones":
        own = reader.time_zone if reader is not None else ""
        return cls(frozenset(space.time_zone for space in spaces), own)

    @property
    def are_mixed(self) -> bool:
        return len(self.shown) > 1

    @property
    def are_named(self) -> bool:
        """Tell whether each time needs its zone beside it."""
        return self.are_mixed or bool(self.reader and self.shown - {self.reader})

    @property
    def common(self) -> str:
        """Return what a page says once about all its times; nothing when each time says it."""
        return "" if self.are_named else ", ".join(map(time_zones.in_words, self.shown))

    def note(self, zone: str) -> str:
        """Return what to write beside a time in a zone: «Moscow time», or nothing."""
        return time_zones.in_words(zone) if self.are_named else ""

    def noted(self, time: str, zone: ZoneInfo) -> str:
        """Return «13:00–15:00 (Moscow time)», or the time alone."""
        note = self.note(zone.key)
        return f"{time} ({note})" if note else time


_of_staff: ContextVar[Callable[[], Zones] | None] = ContextVar("zones_of_staff", default=None)


def of_staff() -> Zones:
    """Return the zones of the spaces that this page's reader runs; none without a reader."""
    ask = _of_staff.get()
    return ask() if ask is not None else Zones(frozenset())


def remembered(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the admin's columns know who is viewing, which they aren't told. Evaluated lazily."""

    def middleware(request: HttpRequest) -> HttpResponse:
        @cache
        def ask() -> Zones:
            user = request.user
            if not isinstance(user, User):
                return Zones(frozenset())
            return Zones.of(Space.objects.run_by(user).only("time_zone"), reader=user)

        token = _of_staff.set(ask)
        try:
            return get_response(request)
        finally:
            _of_staff.reset(token)

    return middleware
