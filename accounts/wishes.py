"""What a visitor came for: shown while they sign up or in, and done by the same press.

It stands in the address and in the form and nowhere else: nothing is kept of who is nobody yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from accounts import presses
from accounts.requests import AuthenticatedRequest


@dataclass(frozen=True)
class Kind:
    """One thing that can be wished for; the app that can do it says how."""

    act: str  # of `presses.ACTS`, for its words
    needed: tuple[str, ...]  # names of fields
    optional: tuple[str, ...]
    key: str  # so that one wish is done once, however often it is sent
    carry_out: Callable[[AuthenticatedRequest], HttpResponse]


KINDS: list[Kind] = []


@dataclass(frozen=True)
class Wish:
    kind: Kind
    lines: list[str]
    fields: list[tuple[str, str]]


def of(request: HttpRequest) -> Wish | None:
    """Return what the address or the form wishes for, if that can be read."""
    data = request.POST if request.method == "POST" else request.GET
    for kind in KINDS:
        if not all(data.get(name) for name in kind.needed):
            continue
        if lines := presses.ACTS[kind.act].describe(data, {}, AnonymousUser()):
            names = (*kind.needed, *kind.optional)
            fields = [(name, data[name]) for name in names if data.get(name)]
            return Wish(kind, lines, [*fields, (kind.key, data.get(kind.key) or str(uuid4()))])
    return None


def carry_out(request: HttpRequest) -> HttpResponse | None:
    """Do what was wished for, now that there is a person; None when nothing was."""
    wish = of(request)
    return wish.kind.carry_out(cast(AuthenticatedRequest, request)) if wish else None
