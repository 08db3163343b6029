"""What is going on, for whoever watches: any app tells, `config.watching` listens.

Whoever works says here which request it works for. The log's lines, events and calls to listeners
name that request. When nobody listens, telling costs a function call.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from django.db import models, transaction
from django.db.models.expressions import Combinable

#: What others may give: anything else could be somebody's name.
ID = r"[A-Za-z0-9_-]{8,64}"
TRACEPARENT = r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"


@dataclass(frozen=True)
class Cause:
    """Which request somebody works for, and the trace it belongs to (W3C Trace Context)."""

    request_id: str = ""
    traceparent: str = ""


NOBODY = Cause()
_cause: ContextVar[Cause] = ContextVar("cause", default=NOBODY)


def new_id() -> str:
    return uuid4().hex


def cause() -> Cause:
    return _cause.get()


def request_id() -> str:
    return _cause.get().request_id


@contextmanager
def caused_by(request_id: str, traceparent: str = "") -> Iterator[None]:
    """Do something for a request that may have been answered by another process long ago."""
    before = _cause.set(Cause(request_id, traceparent))
    try:
        yield
    finally:
        _cause.reset(before)


if TYPE_CHECKING:
    TextField = models.CharField[str | int | Combinable, str]
else:  # at run time it takes no types
    TextField = models.CharField


class RequestField(TextField):
    """Which request wrote a row, without being told. For migrations it is a CharField."""

    def __init__(self, **options: Any) -> None:
        written = {"max_length": 64, "blank": True, "default": request_id, "db_default": ""}
        super().__init__(**{**written, "editable": False, **options})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


# --- Signs ----------------------------------------------------------------------------------------

#: Gets a sign's name, how much of it, and the values of its labels.
type Listener = Callable[[str, float, dict[str, str]], None]

listeners: list[Listener] = []


def tell(sign: str, amount: float = 1, **labels: str) -> None:
    """Say to the listeners that something happened. `config.watching.metrics` lists the signs."""
    for listener in listeners:
        listener(sign, amount, labels)


def tell_after_commit(sign: str, **labels: str) -> None:
    """Tell of it when the transaction is committed, and not if it is rolled back."""
    if listeners:
        transaction.on_commit(lambda: tell(sign, 1, **labels), robust=True)


# --- Traces ---------------------------------------------------------------------------------------


class Tracer(Protocol):
    def span(self, name: str, kind: str, parent: str, about: dict[str, Any]) -> Any: ...

    def traceparent(self) -> str: ...


_tracers: list[Tracer] = []  # one, or none
UNTRACED: AbstractContextManager[Any] = nullcontext()


def trace_with(tracer: Tracer | None) -> None:
    _tracers[:] = [tracer] if tracer else []


def span(
    name: str, *, kind: str = "internal", parent: str = "", **about: Any
) -> AbstractContextManager[Any]:
    """Measure a part of the work in a trace, where the settings ask for traces.

    `parent` is the traceparent of what caused it, if that was in another process.
    """
    return _tracers[0].span(name, kind, parent, about) if _tracers else UNTRACED


def part(name: str, *, kind: str = "internal", **about: Any) -> AbstractContextManager[Any]:
    """Measure a part of what is being measured; what a worker does on its own isn't."""
    return span(name, kind=kind, **about) if _tracers and traceparent() else UNTRACED


def traceparent() -> str:
    """Return what other processes continue the trace with; empty when there is none."""
    return _tracers[0].traceparent() if _tracers else ""
