"""What a visitor came for: shown while they sign up or in, and done with the same click.

It is in the URL and the form and nowhere else: we store nothing about anonymous visitors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, QueryDict

from accounts import presses
from accounts.requests import AuthenticatedRequest


@dataclass(frozen=True)
class Kind:
    """One thing that can be wished for; the app that can do it says how."""

    act: str  # of `presses.ACTS`, for its words
    needed: tuple[str, ...]  # field names
    optional: tuple[str, ...]
    key: str  # so that a wish is done once, however often it is sent
    carry_out: Callable[[AuthenticatedRequest], HttpResponse]
    #: Returns the page where it can be had without an account; "" if it can't.
    without_account: Callable[[QueryDict], str] = lambda sent: ""


KINDS: list[Kind] = []


@dataclass(frozen=True)
class Wish:
    kind: Kind
    lines: list[str]
    fields: list[tuple[str, str]]
    without_account: str = ""


def of(request: HttpRequest) -> Wish | None:
    """Return the wish in the URL or the form, if it is valid."""
    data = request.POST if request.method == "POST" else request.GET
    for kind in KINDS:
        if not all(data.get(name) for name in kind.needed):
            continue
        if lines := presses.ACTS[kind.act].describe(data, {}, AnonymousUser()):
            names = (*kind.needed, *kind.optional)
            fields = [(name, data[name]) for name in names if data.get(name)]
            fields.append((kind.key, data.get(kind.key) or str(uuid4())))
            return Wish(kind, lines, fields, kind.without_account(data))
    return None


def carry_out(request: HttpRequest) -> HttpResponse | None:
    """Carry out the wish, now that there is a person; None when there is none."""
    wish = of(request)
    return wish.kind.carry_out(cast(AuthenticatedRequest, request)) if wish else None
