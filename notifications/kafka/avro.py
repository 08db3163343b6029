"""Events in Avro: a message says by itself which schema it was written with.

Avro's single-object encoding: two bytes that mark it, the fingerprint of the schema in eight, the
record. https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from notifications.contracts.schemas import avro_schema

MARK = b"\xc3\x01"
CONTENT_TYPE = "application/avro"


def fingerprint_of(schema: Mapping[str, Any]) -> bytes:
    """Return the fingerprint (CRC-64-AVRO) of a schema's canonical form, in little-endian."""
    text: str = fingerprint(to_parsing_canonical_form(dict(schema)), "CRC-64-AVRO")
    return bytes.fromhex(text)


def encode(data: Mapping[str, Any], schema: Mapping[str, Any] | None = None) -> bytes:
    """Return an event, as `event_data` shows it, as a single Avro object. Raises ValueError."""
    parsed, mark = _ours() if schema is None else _prepared(schema)
    written = BytesIO()
    written.write(mark)
    try:
        schemaless_writer(written, parsed, data)
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"An event doesn't fit its schema: {error}") from error
    return written.getvalue()


def decode(
    value: bytes,
    written_with: Mapping[bytes, Mapping[str, Any]],
    reader: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Read a message as `reader`, or we, see it; `written_with` has the schemas by fingerprint.

    Raises KeyError for a schema that isn't among them, ValueError for something else than Avro.
    """
    if value[: len(MARK)] != MARK:
        raise ValueError("not a single Avro object")
    mark, record = value[:10], value[10:]
    writer, _mark = _prepared(written_with[mark[len(MARK) :]])
    wanted = _ours()[0] if reader is None else dict(reader)
    read = schemaless_reader(BytesIO(record), writer, wanted)
    assert isinstance(read, dict)
    return read


@cache
def _ours() -> tuple[Any, bytes]:
    return _prepared(avro_schema())


def _prepared(schema: Mapping[str, Any]) -> tuple[Any, bytes]:
    """Return a schema as fastavro wants it, and what a message written with it begins with."""
    return parse_schema(deepcopy(dict(schema))), MARK + fingerprint_of(schema)
