"""What somebody does in a request gets its line in the audit, in the transaction that does it.

A page says which change it makes. Its first statement that writes is followed by the line: both are
committed, or neither. What a transaction rolls back takes the line with it, and the next one that
writes leaves another. So a page needn't say what it wrote, and none is forgotten.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.joining import AuditEntry
from accounts.models import User

Kind = AuditEntry.Kind

logger = logging.getLogger("mesto.audit")

#: A statement that changes a table.
WRITES = re.compile(r'\s*(INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)')
#: Written whether or not something is changed, or a log of its own.
ASIDE = re.compile(
    r"(axes_\w+|django_admin_log|accounts_(auditentry|tally|idempotencykey)|spaces_setupstamp)$"
)
#: What bookings go through is in their events.
OF_BOOKINGS = re.compile(
    r"(django_session|bookings_(booking|bookedslot|bookingevent|refusalcount|waiting\w+))$"
)


@dataclass(frozen=True)
class Change:
    """What a page is about to change, and in which space; None for none of them."""

    kind: str
    actor: User
    space: Callable[[], int | None]
    what: Callable[[], str]


@dataclass
class Acting:
    """A request that may change something."""

    request: HttpRequest
    change: Change | None = None
    #: Of which kind a line is committed.
    noted: set[str] = field(default_factory=set)

    def watch(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Add the line to the first statement that changes something; an `execute_wrapper`."""
        result = execute(sql, params, many, context)
        change, found = self.change, WRITES.match(sql)
        if change is None or found is None or not _is_change(change, found, context["cursor"]):
            return result
        if not self._is_noted(change.kind):
            check_transaction(found[2])
            self._note(change.kind, change.actor, lambda: (change.space(), change.what()))
        return result

    def acted(self, actor: User) -> None:
        """Keep from where somebody did something for others, which another log has."""
        if not self._is_noted(Kind.CHANGED) and not self._is_noted(Kind.ACTED):
            self._note(Kind.ACTED, actor, lambda: (None, ""))

    def _note(self, kind: str, actor: User, about: Callable[[], tuple[int | None, str]]) -> None:
        transaction.on_commit(partial(self.noted.add, kind))  # forgotten by a rollback
        space, what = about()
        audit.write(
            kind, actor=actor, space=space, what=what, request=self.request, now=timezone.now()
        )

    def _is_noted(self, kind: str) -> bool:
        """Tell whether a line is committed, or waits in this transaction to be."""
        waiting = (each[1] for each in connection.run_on_commit)
        return kind in self.noted or any(
            isinstance(each, partial) and each.func == self.noted.add and each.args == (kind,)
            for each in waiting
        )


def _is_change(change: Change, found: re.Match[str], cursor: Any) -> bool:
    verb, table = found.groups()
    if ASIDE.match(table) or (change.kind == Kind.CHANGED and OF_BOOKINGS.match(table)):
        return False
    return verb.startswith("INSERT") or cursor.rowcount != 0


def check_transaction(table: str) -> None:
    """Say so where a change commits by itself: a crash would lose its line. Tests fail of it."""
    if not connection.in_atomic_block:
        logger.error("a change without a transaction: %s", table)


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting(request: HttpRequest) -> Iterator[Acting]:
    """Watch what a request writes."""
    found = Acting(request)
    before = _acting.set(found)
    try:
        with connection.execute_wrapper(found.watch):
            yield found
    finally:
        _acting.reset(before)


def acted(actor: object, *, member: int | None = None) -> None:
    """Keep from where somebody acts, unless for themselves: where members are is their own."""
    found = _acting.get()
    if found is not None and isinstance(actor, User) and actor.pk != member:
        found.acted(actor)


@contextmanager
def at_server() -> Iterator[None]:
    """Let all that a command writes be one transaction, which begins with the first of it.

    So nobody waits for the answer to a question at the terminal.
    """
    with ExitStack() as stack:

        def begin(execute: Any, sql: str, *rest: Any) -> Any:
            if WRITES.match(sql) and not connection.in_atomic_block:
                stack.enter_context(transaction.atomic())
            return execute(sql, *rest)

        with connection.execute_wrapper(begin):
            yield


def note_command(name: str, person: User) -> None:
    """Note what a command did to somebody's account."""
    audit.write(Kind.SECURITY, what=f"command:{name} {person.pk}", now=timezone.now())
