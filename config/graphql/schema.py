"""The GraphQL schema, made from the OpenAPI document; each field is answered by its operation.

So a field takes what the operation takes, is for whom the operation is for, costs what it costs,
and says what it says: there is no second shape and no second rule that could differ.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from inspect import Parameter, Signature
from typing import Annotated, Any

import strawberry
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, QueryDepthLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types import Info

from config.api import api
from config.graphql import answering
from config.graphql.limits import DEPTH, TOKENS, Cost, Introspection, Named

type Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """An operation of the JSON API: its path in the document, and the name of its address."""

    path: str
    name: str


#: The fields of a query. Reading the log of events isn't among them: it writes (positions).
FIELDS = {
    "spaces": Operation("/spaces", "list_spaces"),
    "space": Operation("/spaces/{slug}", "get_space"),
    "availability": Operation("/spaces/{slug}/availability", "get_availability"),
    "bookings": Operation("/bookings", "list_bookings"),
    "booking": Operation("/bookings/{code}", "get_booking"),
}


@cache
def schema() -> strawberry.Schema:
    """Return the schema, made when it is first needed."""
    document = dict(api.get_openapi_schema(path_prefix="/api/v1"))
    made = _Making(document["components"]["schemas"])
    query = [
        _named(name, made.root(operation, document["paths"][f"/api/v1{operation.path}"]["get"]))
        for name, operation in FIELDS.items()
    ]
    return _Schema(
        create_type("Query", query, description="What there is, what is free, what is booked."),
        config=StrawberryConfig(auto_camel_case=False, default_resolver=_member),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=TOKENS),
            lambda: QueryDepthLimiter(max_depth=DEPTH),
            lambda: AddValidationRules([Cost, Introspection]),
            Named,
        ],
    )


class _Schema(strawberry.Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Log nothing: what is refused is the asker's matter, and the rest is raised again."""


def _member(row: Any, name: str) -> Any:
    return row[name]


class _Making:
    """Turns schemas of the OpenAPI document into types, each once."""

    def __init__(self, known: Mapping[str, Json]) -> None:
        self.known = known
        self.types: dict[str, Any] = {}

    def root(self, operation: Operation, described: Json) -> Any:
        content = described["responses"][HTTPStatus.OK]["content"]["application/json"]["schema"]
        resolver = _resolver(operation, self.type_of(content) | None, list(_arguments(described)))
        words = f"{described['summary']}. {described.get('description', '')}".strip()
        return strawberry.field(resolver=resolver, description=words)

    def type_of(self, described: Json) -> Any:
        if reference := described.get("$ref"):
            name = reference.rpartition("/")[2]
            is_object = "properties" in self.known[name]
            return self.object(name) if is_object else self.type_of(self.known[name])
        if choices := described.get("anyOf"):
            [only] = [choice for choice in choices if choice != {"type": "null"}]
            return self.type_of(only) | None
        if described["type"] == "array":
            return list[self.type_of(described["items"])]  # type: ignore[misc]  # made at run time
        return PLAIN[described["type"]]

    def object(self, name: str) -> Any:
        if name not in self.types:
            described = self.known[name]
            fields = [
                _named(member, strawberry.field(description=value.get("description")), value, self)
                for member, value in described["properties"].items()
            ]
            short = NAMES.get(name, name.removesuffix("Out"))
            self.types[name] = create_type(short, fields, description=described.get("description"))
        return self.types[name]


#: What is called otherwise than in the OpenAPI document; there, `Out` tells answers from bodies.
NAMES = {"PlaceData": "BookedPlace"}

PLAIN = {"string": str, "integer": int, "number": float, "boolean": bool}


def _named(name: str, field: Any, described: Json | None = None, made: Any = None) -> Any:
    field.python_name = name
    if described is not None:
        field.type_annotation = strawberry.annotation.StrawberryAnnotation(made.type_of(described))
    return field


def _arguments(described: Json) -> Iterator[Parameter]:
    """Yield an operation's parameters; headers are the request's own."""
    for each in described["parameters"]:
        if each["in"] == "header":
            continue
        kind, default = _argument(each["schema"]), Parameter.empty
        if not each["required"]:
            kind, default = kind | None, each["schema"].get("default") or strawberry.UNSET
        says = strawberry.argument(name=each["name"], description=each["description"])
        kind = Annotated[kind, says]
        name = f"its_{each['name']}"  # `from` is a word of Python
        yield Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=default)


def _argument(described: Json) -> Any:
    """Return an argument's type. An enumeration is a string: its operation says what it may be."""
    if choices := described.get("anyOf"):
        return _argument(choices[0])
    if described.get("type") == "array":
        return list[str]
    return PLAIN[described.get("type", "string")]


def _resolver(
    operation: Operation, returned: Any, arguments: list[Parameter]
) -> Callable[..., Any]:
    def resolve(info: Info, **given: Any) -> Any:
        values = {
            name.removeprefix("its_"): value
            for name, value in given.items()
            if value not in (None, strawberry.UNSET)
        }
        return answering.ask(info.context, operation.name, values)

    info = Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
    resolve.__signature__ = Signature(  # type: ignore[attr-defined]  # functions have one
        [info, *arguments], return_annotation=returned
    )
    resolve.__annotations__ = {"return": returned} | {
        each.name: each.annotation for each in (info, *arguments)
    }
    return resolve
