"""`/api/graphql`: one query a request, by GET or POST. It only reads, so it can't be forged."""

from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from accounts.api import queries
from accounts.api.parsing import StrictParser
from accounts.api.problems import INVALID, MALFORMED, TOO_LARGE, ApiProblem, answer
from accounts.api.requests import ProgramRequest
from config.graphql.answering import Asker
from config.graphql.schema import schema

MEMBERS = ("query", "variables", "operationName")
JSON = "application/json"


@dataclass(frozen=True)
class Query:
    """What somebody sends: a document, values for its variables, and which operation to run."""

    text: str
    variables: dict[str, Any]
    operation: str | None


@csrf_exempt  # nothing changes, and other sites can't read the answer
@login_not_required  # each field asks who is there
@require_http_methods(["GET", "HEAD", "POST"])
def graphql(request: HttpRequest) -> HttpResponse:
    """Answer a query: 200 once it is carried out, each refused field with its problem."""
    asked = cast(ProgramRequest, request)
    try:
        query = _query(asked)
        return JsonResponse(_carried_out(query, asked), json_dumps_params={"ensure_ascii": False})
    except ApiProblem as problem:
        return answer(problem)


def _carried_out(query: Query, request: ProgramRequest) -> dict[str, Any]:
    """Return the answer. Raises ApiProblem for what can't be carried out at all."""
    try:
        result = schema().execute_sync(
            query.text,
            variable_values=query.variables,
            context_value=Asker(request),
            operation_name=query.operation,
        )
    except CannotGetOperationTypeError as unknown:  # there is none, or none of that name
        raise _wrong("query", [{"message": unknown.as_http_error_reason()}]) from unknown
    errors = result.errors or []
    for error in errors:
        if error.original_error and not isinstance(error.original_error, GraphQLError):
            raise error.original_error  # ours, or the database's: as in every other view
    if result.data is None and not any(error.path for error in errors):
        raise _wrong("query", [_described(error) for error in errors])
    said: dict[str, Any] = {"data": result.data}
    if errors:
        said["errors"] = [_described(error) for error in errors]
    return said


def _described(error: GraphQLError) -> dict[str, Any]:
    """Return an error as GraphQL writes it, without what JSON can't carry: half characters."""
    text = _legible(error.message)
    if not settings.GRAPHQL_INTROSPECTION:
        text = text.partition(" Did you mean")[0]  # which names the schema's
    return {**error.formatted, "message": text}


def _query(request: ProgramRequest) -> Query:
    """Read the query from the address, or from a body in JSON. Raises ApiProblem."""
    given = _of_body(request) if request.method == "POST" else _of_address(request)
    for name, kinds in (("query", str), ("variables", dict), ("operationName", str)):
        if given.get(name) is not None and not isinstance(given[name], kinds):
            raise _wrong(name, [{"message": _("This has the wrong type.")}])
    text = given.get("query") or ""
    if not text.strip():
        raise _wrong("query", [{"message": _("A query is missing.")}])
    return Query(_legible(text), given.get("variables") or {}, given.get("operationName") or None)


def _of_address(request: ProgramRequest) -> dict[str, Any]:
    request.known_parameters, request.takes_body = list(MEMBERS), False
    queries.require_known(request)
    queries.require_once(request)
    queries.require_no_body(request)
    given: dict[str, Any] = {name: request.GET[name] for name in request.GET}
    if given.get("variables"):
        given["variables"] = _parsed(given["variables"].encode(errors="replace"))
    else:
        given.pop("variables", None)
    return given


def _of_body(request: ProgramRequest) -> dict[str, Any]:
    request.known_parameters = []
    queries.require_known(request)
    if request.content_type != JSON:  # no form of another site can send this
        raise ApiProblem(MALFORMED, _("The body must be JSON: Content-Type: application/json."))
    try:
        given = _parsed(request.body)
    except RequestDataTooBig as error:
        raise ApiProblem(TOO_LARGE) from error
    if not isinstance(given, dict) or given.keys() - {*MEMBERS, "extensions"}:
        words = _("The body has “query” and, if need be, “variables” and “operationName”.")
        raise _wrong("body", [{"message": words}])
    return given


class _Body:
    """What the parser wants of a request."""

    def __init__(self, body: bytes) -> None:
        self.body = body


def _parsed(body: bytes) -> Any:
    try:
        return StrictParser().parse_body(cast(HttpRequest, _Body(body)))
    except (ValueError, RecursionError) as error:
        raise ApiProblem(MALFORMED) from error


def _legible(text: str) -> str:
    return text.encode(errors="replace").decode()


def _wrong(field: str, errors: list[dict[str, Any]]) -> ApiProblem:
    return ApiProblem(INVALID, errors=[{"field": field, **error} for error in errors])
