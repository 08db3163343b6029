"""A field's value: what the JSON API answers to the same question from the same person."""

import json
from copy import copy
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from django.http import QueryDict
from django.urls import NoReverseMatch, get_script_prefix, resolve, reverse
from graphql import GraphQLError

from accounts.addresses import address_of
from accounts.api import limits
from accounts.api.problems import NOT_FOUND, ApiProblem, document
from accounts.api.requests import ProgramRequest

IN_THE_PATH = {"slug", "code"}
OF_ANOTHER = ("CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_PREFER", "HTTP_IDEMPOTENCY_KEY")


class Refused(GraphQLError):
    """A field that its operation refused: the problem document is in `extensions`."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem["detail"], extensions=problem)


class Asker:
    """One request to `/api/graphql`, and what it has asked the JSON API so far."""

    def __init__(self, request: ProgramRequest) -> None:
        self.request = request
        self.asked = 0

    def count(self) -> None:
        """Count each question but the first, which the request itself counted as."""
        self.asked += 1
        if self.asked > 1:
            who = address_of(self.request) or "unknown"
            self.request.rates = [each for each in self.request.rates if each.policy != "address"]
            limits.spend(self.request, "address", who)


def ask(asker: Asker, name: str, given: dict[str, Any]) -> Any:
    """Carry an operation out and return what it says. Raises Refused."""
    try:
        asker.count()
        path = _path(name, {key: given.pop(key) for key in IN_THE_PATH & given.keys()})
    except ApiProblem as problem:
        raise Refused(document(problem)) from problem
    found = resolve(path)
    response = found.func(_question(asker.request, path, given), *found.args, **found.kwargs)
    said = json.loads(response.content)
    if response.status_code != HTTPStatus.OK:
        raise Refused(said)
    return said


def _path(name: str, values: dict[str, str]) -> str:
    """Return an operation's path. Raises ApiProblem for what no such address can contain."""
    try:
        found = unquote(reverse(f"api:{name}", kwargs=values))
    except NoReverseMatch as error:
        raise ApiProblem(NOT_FOUND) from error
    return "/" + found.removeprefix(get_script_prefix())


def _question(request: ProgramRequest, path: str, given: dict[str, Any]) -> ProgramRequest:
    """Return the request as if it had asked the operation: a GET by the same person."""
    asked = copy(request)
    asked.META = {key: value for key, value in request.META.items() if key not in OF_ANOTHER}
    asked.META["REQUEST_METHOD"] = asked.method = "GET"
    asked.path = asked.path_info = asked.META["PATH_INFO"] = path
    query = QueryDict(mutable=True)
    for key, value in given.items():
        values = value if isinstance(value, list) else [value]
        query.setlist(key, [str(each) for each in values])
    asked.META["QUERY_STRING"] = query.urlencode()
    asked.GET = query  # type: ignore[assignment]  # as Django would parse it
    asked.__dict__.pop("headers", None)  # made of META, and kept
    asked._body = b""  # Django's own, which it keeps once it is read
    asked.known_parameters, asked.repeatable, asked.takes_body = [], set(), True
    return asked
