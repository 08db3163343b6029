"""An exception in words that name nobody: its type, where it was raised, what is safe to say.

An exception's message may hold what somebody typed: `Key (email)=(anna@example.org) already
exists`, `invalid literal for int(): 'Anna'`. So only messages of kinds that speak of the machine,
or of the code, are told; of a database's error, its code and the constraint.
"""

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

#: They speak of the code, or of the machine.
PLAIN = (
    AttributeError,
    ImportError,
    ImproperlyConfigured,
    InterfaceError,
    MemoryError,
    NameError,
    OperationalError,
    RecursionError,
    RedisConnectionError,
)
LONGEST = 300  # characters
MOST_FRAMES = 50


@dataclass(frozen=True)
class Told:
    """One exception of a chain."""

    type: str
    said: str
    frames: tuple[str, ...]


def said(error: BaseException) -> str:
    """Return what can be told of an exception's message; empty if nothing."""
    if isinstance(error, OSError):
        return error.strerror or ""  # without the file's name
    diagnosis: Any = getattr(error, "diag", None) or getattr(error.__cause__, "diag", None)
    if diagnosis is not None and diagnosis.sqlstate:
        return " ".join(filter(None, [diagnosis.sqlstate, diagnosis.constraint_name]))
    if isinstance(error, PLAIN):
        return str(error).split("\n")[0][:LONGEST]
    return ""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, then what caused it."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def told(error: BaseException) -> list[Told]:
    return [
        Told(name_of(each), said(each), tuple(_frames(each.__traceback__))) for each in chain(error)
    ]


def name_of(error: BaseException) -> str:
    kind = type(error)
    is_builtin = kind.__module__ == "builtins"
    return kind.__qualname__ if is_builtin else f"{kind.__module__}.{kind.__qualname__}"


def _frames(trace: TracebackType | None) -> Iterator[str]:
    """Yield where it passed, without the lines themselves: constants in them may be names."""
    root = f"{settings.BASE_DIR}/"
    for frame, line in list(traceback.walk_tb(trace))[-MOST_FRAMES:]:
        code = frame.f_code
        yield f"{code.co_filename.removeprefix(root)}:{line} {code.co_name}"
