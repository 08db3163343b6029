"""The OpenAPI document says everything needed to write a program."""

import json

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def document():
    return Client().get("/api/v1/openapi.json").json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def has_example(schema):
    text = json.dumps(schema)
    return any(f'"{word}"' in text for word in ("examples", "enum", "$ref", "const"))


def test_every_field_has_a_description_and_an_example(document):
    for name, schema in document["components"]["schemas"].items():
        for field, details in schema.get("properties", {}).items():
            assert "description" in details, (name, field)
            assert has_example(details), (name, field)


def test_every_parameter_has_a_description_and_an_example(document):
    for name, operation in operations(document):
        for parameter in operation["parameters"]:
            assert parameter["description"], (name, parameter)
            assert has_example(parameter), (name, parameter)


def test_every_operation_has_a_name_and_a_summary(document):
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["tags"], name


def test_errors_are_problem_documents_with_their_codes(document):
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], name
                assert "`" in response["description"], (name, status)


def test_every_post_takes_an_idempotency_key(document):
    for name, operation in operations(document):
        taken = [parameter["name"] for parameter in operation["parameters"]]
        assert ("Idempotency-Key" in taken) == name.startswith("post"), name


def test_every_answer_that_a_replica_may_give_says_as_of_when(document):
    for name, operation in operations(document):
        said = [
            code for code, each in operation["responses"].items() if "Data-As-Of" in each["headers"]
        ]
        is_read = name.startswith("get") and operation["operationId"] != "listEvents"
        assert said == (["200", "304"] if is_read else []), name


def test_every_promised_operation_exists(document):
    """The operations that were promised; there may be more."""
    promised = """
        post /api/v1/auth/token
        get /api/v1/spaces
        get /api/v1/spaces/{slug}
        get /api/v1/spaces/{slug}/availability
        post /api/v1/bookings
        post /api/v1/bookings/batch
        get /api/v1/bookings
        get /api/v1/bookings/{code}
        delete /api/v1/bookings/{code}
        patch /api/v1/bookings/{code}
        get /api/v1/events
    """
    assert {line.strip() for line in promised.strip().splitlines()} <= {
        name for name, _ in operations(document)
    }
