"""The OpenAPI document: what django-ninja finds in the code, plus every problem and header."""

from collections import defaultdict
from datetime import date
from http import HTTPStatus
from typing import Any

from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.operation import Operation

from accounts import replica
from accounts.api import problems
from accounts.api.auth import PUBLIC
from accounts.api.idempotency import KEYED
from accounts.api.schemas import Problem

EXAMPLE_DAY = "2026-12-01"  # in the examples of all apps

RETRY_AFTER = {
    "description": "Seconds to wait before trying again.",
    "schema": {"type": "string", "examples": ["7"]},
}
HEADERS = {
    HTTPStatus.UNAUTHORIZED: {
        "WWW-Authenticate": {
            "description": "How to sign in (RFC 6750).",
            "schema": {"type": "string", "examples": ['Bearer realm="Mesto"']},
        }
    },
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": RETRY_AFTER},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": RETRY_AFTER},
}
LOCATION = {
    "Location": {
        "description": "The booking's URL.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
PREFERENCE_APPLIED = {
    "Preference-Applied": {
        "description": "Which preference of `Prefer` was followed (RFC 7240).",
        "schema": {"type": "string", "examples": ["respond-async"]},
    }
}
#: Headers that only some operations return.
HEADERS_OF = {
    ("createBooking", HTTPStatus.CREATED): LOCATION,
    ("createBooking", HTTPStatus.ACCEPTED): LOCATION | PREFERENCE_APPLIED,
    ("getBooking", HTTPStatus.OK): PREFERENCE_APPLIED,
}
REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` when this is the answer to an earlier request with the same key.",
        "schema": {"type": "string", "examples": ["true"]},
    }
}
AS_OF = {
    replica.HEADER: {
        "description": "Only while the primary database can't be reached: up to which moment this "
        "answer knows everything, or `unknown`. Nothing can be changed then: 503.",
        "schema": {"type": "string", "examples": ["2026-12-01T09:03:12Z"]},
    }
}
RATE_HEADERS = {
    "RateLimit": {
        "description": "What is left (`r`) for how many seconds (`t`), per policy.",
        "schema": {"type": "string", "examples": ['"address";r=2999;t=60, "token";r=599;t=60']},
    },
    "RateLimit-Policy": {
        "description": "How many requests (`q`) are allowed in how many seconds (`w`).",
        "schema": {"type": "string", "examples": ['"address";q=3000;w=60, "token";q=600;w=60']},
    },
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key within a day gets the same answer, and nothing is done twice.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "examples": ["8e03978e-40d5-43dd"]},
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "description": "The `ETag` of an earlier answer: 304 without a body when nothing changed.",
    "schema": {"type": "string", "examples": ['"33a64df551425fcc55e4d42a148795d9"']},
}
ETAG = {
    "ETag": {
        "description": "Changes with the content.",
        "schema": {"type": "string", "examples": ['"33a64df551425fcc55e4d42a148795d9"']},
    }
}


class Document(OpenAPISchema):
    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        for parameter in details["parameters"]:
            # Ninja lists the examples here too, where OpenAPI wants a single or named ones.
            found = parameter.pop("examples", None)
            if found and parameter["required"]:  # the docs page fills it in
                parameter["example"] = found[0]
        if "GET" in operation.methods:
            details["parameters"].append(IF_NONE_MATCH)
            found = ETAG if details["operationId"] == "listEvents" else ETAG | AS_OF
            details["responses"][200]["headers"] = found
            details["responses"][304] = {"description": "Nothing changed.", "headers": found}
        takes_key = operation.view_func in KEYED
        if takes_key:
            details["parameters"].append(IDEMPOTENCY_KEY)
        if operation.auth_callbacks and operation.auth_callbacks[-1] is PUBLIC[-1]:
            details["security"].append({})  # signed-in people see what their group may do
        details["responses"] |= self._problems(operation)
        if takes_key:  # `still_running`
            details["responses"][HTTPStatus.CONFLICT]["headers"] = {"Retry-After": RETRY_AFTER}
        for status, response in details["responses"].items():
            response["headers"] = {
                **response.get("headers", {}),
                **HEADERS.get(status, {}),
                **HEADERS_OF.get((details["operationId"], status), {}),
                **(REPLAYED if takes_key else {}),
                **RATE_HEADERS,
            }
        return details

    def _problems(self, operation: Operation) -> dict[int, Any]:
        by_status = defaultdict(list)
        for kind in kinds_of(operation):
            by_status[int(kind.status)].append(kind)
        return {
            status: {
                "description": "\n".join(f"- `{kind.code}`: {kind.title}" for kind in kinds),
                "content": {
                    problems.CONTENT_TYPE: {
                        "schema": self._shape(kinds),
                        "examples": {
                            kind.code: {
                                "value": problems.document(problems.ApiProblem(kind, **kind.sample))
                            }
                            for kind in kinds
                        },
                    }
                },
            }
            for status, kinds in sorted(by_status.items())
        }

    def _shape(self, kinds: list[problems.Kind]) -> dict[str, str]:
        """Refer to the schema of these kinds; the one with more members fits the others too."""
        shape = next((kind.shape for kind in kinds if kind.shape is not Problem), Problem)
        schema = shape.model_json_schema(ref_template=REF_TEMPLATE)
        self.schemas |= schema.pop("$defs", {})
        self.schemas[shape.__name__] = schema
        return {"$ref": REF_TEMPLATE.format(model=shape.__name__)}


def example(kind: problems.Kind) -> dict[str, Any]:
    return {
        "summary": kind.code,
        "description": str(kind.meaning),
        "value": problems.document(problems.ApiProblem(kind)),
    }


def dated(value: Any, day: date) -> Any:
    """Return the document with its examples on a future day, so that they can be tried out."""
    if isinstance(value, dict):
        return {name: dated(inner, day) for name, inner in value.items()}
    if isinstance(value, list):
        return [dated(inner, day) for inner in value]
    return value.replace(EXAMPLE_DAY, str(day)) if isinstance(value, str) else value


def kinds_of(operation: Operation) -> list[problems.Kind]:
    """Return every kind of problem that an operation may return, its own first."""
    kinds = list(problems.RAISED.get(operation.view_func, ()))
    sources = {model.__ninja_param_source__ for model in operation.models}
    changes = bool({"POST", "PATCH", "PUT", "DELETE"} & set(operation.methods))
    if "body" in sources:
        kinds += [problems.MALFORMED, problems.TOO_LARGE]
    kinds.append(problems.INVALID)  # unknown parameters, if nothing else
    if "path" in sources:
        kinds.append(problems.NOT_FOUND)
    if operation.auth_callbacks:
        kinds.append(problems.UNAUTHENTICATED)
        if changes:
            kinds += [problems.CSRF_FAILED, problems.READ_ONLY_TOKEN]
    if operation.view_func in KEYED:
        kinds += [problems.STILL_RUNNING, problems.KEY_REUSED]
    kinds += [problems.MALFORMED, problems.TOO_MANY_REQUESTS, problems.UNAVAILABLE]
    return list(dict.fromkeys(kinds))
