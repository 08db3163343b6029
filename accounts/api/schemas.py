"""Building blocks for the request and response bodies of all apps."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from accounts.numbers import read_whole


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("it contains a NUL byte")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it contains half a character") from error
    return text


#: A database can't store a NUL byte or a lone surrogate, which JSON can express: "\ud800".
Text = Annotated[str, AfterValidator(_storable)]

INSTANT = {
    "type": "string",
    "format": "date-time",
    "description": "An instant, RFC 3339 with its offset. Without one it is refused.",
    "examples": ["2026-12-01T10:00:00+03:00"],
}


RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def _text(at: object) -> object:
    """Refuse other ways of writing a time, and numbers: seconds since 1970 have no offset."""
    if not isinstance(at, str):
        raise ValueError("it is not an RFC 3339 timestamp")
    if not RFC_3339.fullmatch(at):
        hint = "; in a URL write + as %2B" if RFC_3339.fullmatch(at.replace(" ", "+")) else ""
        raise ValueError(
            f"it is not an RFC 3339 timestamp, such as 2026-12-01T10:00:00+03:00{hint}"
        )
    return at


def _in_reach(at: datetime) -> datetime:
    """Return the instant in UTC: its quarters are the grid, and PostgreSQL has no +23:59."""
    if not 2000 <= at.year <= 2199:
        raise ValueError("it is too far away")
    return at.astimezone(UTC)


Instant = Annotated[
    AwareDatetime, BeforeValidator(_text), AfterValidator(_in_reach), WithJsonSchema(INSTANT)
]


def _digits(number: object) -> object:
    """Parse a number in a URL, which is text. See also `accounts.numbers`."""
    return read_whole(number) if isinstance(number, str) else number


#: A whole number in a URL: digits and nothing else. In a body it is `Strict` instead.
Whole = Annotated[int, BeforeValidator(_digits)]


class Input(Schema):
    """A body: an unknown field is refused, because it is probably a typo."""

    model_config = ConfigDict(extra="forbid")


def instant(description: str) -> Any:
    """Describe an instant in an answer."""
    return Field(
        description=f"{description} RFC 3339, with the offset of the space's time zone.",
        examples=["2026-12-01T10:00:00+03:00"],
        json_schema_extra={"format": "date-time"},
    )


class FieldError(Schema):
    field: Annotated[str, Field(description="Which field.", examples=["body.starts_at"])]
    message: Annotated[
        str, Field(description="What is wrong with it.", examples=["Field required"])
    ]


class Problem(Schema):
    """An error (RFC 9457). Its further members depend on `code`."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[
        str,
        Field(
            description="URL of the code's documentation.",
            examples=["/api/v1/problems#slot_taken"],
        ),
    ]
    title: Annotated[
        str,
        Field(
            description="What kind of problem; always the same for a code.",
            examples=["The rules of the space don't allow it."],
        ),
    ]
    status: Annotated[int, Field(description="The HTTP status.", examples=[409])]
    detail: Annotated[
        str,
        Field(
            description="What happened in this case, for people.",
            examples=["Table 1 is for up to 2 people."],
        ),
    ]
    code: Annotated[str, Field(description="For programs; stable.", examples=["slot_taken"])]
    missing_scope: Annotated[
        str | None,
        Field(
            description="What a token lacks: a verb, or `space:<slug>`.",
            examples=["space:tverskaya"],
        ),
    ] = None
    errors: Annotated[
        list[FieldError], Field(description="With `invalid`: every wrong value.")
    ] = []
