"""What a request looks at and what it writes: with that, a walk asks nothing twice."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.http import HttpRequest, QueryDict

#: Sessions come and go, wrong passwords are counted, and signing in and out is noted.
HARMLESS = re.compile(
    r"\(?SELECT |SAVEPOINT |RELEASE |ROLLBACK |EXPLAIN |SET "
    r"|(INSERT INTO|UPDATE|DELETE FROM) \"(django_session|axes_|accounts_auditentry|accounts_tally)"
)

BY_NAME = ("__getitem__", "__contains__", "get", "getlist")
WHOLE = ("__iter__", "keys", "values", "items", "lists", "dict", "copy", "__copy__", "urlencode")


class Writes:
    """Notices each statement that may write; an `execute_wrapper`."""

    def __init__(self, harmless: re.Pattern[str] = HARMLESS) -> None:
        self.statements: list[str] = []
        self._harmless = harmless

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if not self._harmless.match(sql):
            self.statements.append(sql)
        return execute(sql, *rest)


@contextmanager
def looks() -> Iterator[set[str]]:
    """Yield what is looked up in queries and forms.

    These are names; "*" when all is read that there is, and "body" when a body is.
    """
    seen: set[str] = set()

    def noting(method: Any, what: str) -> Any:
        def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
            seen.add(what or args[0])
            return method(self, *args, **kwargs)

        return noted

    with pytest.MonkeyPatch.context() as patch:
        for name in BY_NAME:
            patch.setattr(QueryDict, name, noting(getattr(QueryDict, name), ""))
        for name in WHOLE:
            patch.setattr(QueryDict, name, noting(getattr(QueryDict, name), "*"))
        for name in ("read", "readline", "_load_post_and_files"):
            patch.setattr(HttpRequest, name, noting(getattr(HttpRequest, name), "body"))
        patch.setattr(HttpRequest, "body", property(noting(HttpRequest.body.fget, "body")))
        yield seen
