"""Paged lists: a cursor says after which row to continue, so new rows shift nothing."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from ninja import Query
from pydantic import Field

from accounts.api.problems import INVALID, ApiProblem
from accounts.api.schemas import Whole

USUAL, MOST = 50, 100

Limit = Annotated[
    Whole, Query(USUAL, ge=1, le=MOST, description="How many items at most.", examples=[20])
]
Cursor = Annotated[
    str,
    Query(
        "",
        max_length=300,
        description="`next_cursor` of the previous page; empty for the first page.",
        examples=["c2x1Zwp0dmVyc2theWE"],
    ),
]
NextCursor = Annotated[
    str | None,
    Field(
        description="Send it as `cursor` for the next page; null on the last page.",
        examples=["c2x1Zwp0dmVyc2theWE"],
    ),
]


def bad_cursor(name: str = "cursor") -> ApiProblem:
    message = _("This cursor doesn’t belong to this list.")
    return ApiProblem(INVALID, errors=[{"field": f"query.{name}", "message": message}])


def encode(*parts: str) -> str:
    return urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def decode(cursor: str) -> list[str]:
    """Decode what `encode` wrote. Raises ApiProblem."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return b64decode(padded, altchars=b"-_", validate=True).decode().split("\n")
    except ValueError as error:
        raise bad_cursor() from error


def cut[M: Model](
    rows: QuerySet[M], limit: int, cursor_of: Callable[[M], str]
) -> tuple[list[M], str | None]:
    """Return the first rows, and the cursor of the last one if there are more."""
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], cursor_of(found[limit - 1])
