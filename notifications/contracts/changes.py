"""What a change of the schemas breaks: for who reads with the earlier one, and with the later.

Both ways (Confluent calls it FULL), because releases of readers and of Mesto don't march in step,
and a topic keeps messages of earlier releases.
"""

from collections.abc import Iterator
from typing import Any

type Schema = dict[str, Any]


def broken(earlier: dict[str, Schema], later: dict[str, Schema]) -> list[str]:
    """Return a sentence for everything that breaks somebody, over all published schemas."""
    found = [f"{name} is gone." for name in earlier if name not in later]
    for name in earlier.keys() & later.keys():
        compare = of_avro if name.endswith(".avsc") else of_json
        found += [f"{name}: {sentence}" for sentence in compare(earlier[name], later[name])]
    return sorted(found)


def of_json(earlier: Schema, later: Schema) -> list[str]:
    return list(_objects("", earlier, later, (earlier, later)))


def _objects(path: str, old: Schema, new: Schema, roots: tuple[Schema, Schema]) -> Iterator[str]:
    had, has = set(old.get("required", ())), set(new.get("required", ()))
    yield from (f"{path}{name} was always there and needn't be now." for name in had - has)
    yield from (f"{path}{name} is required, but older messages lack it." for name in has - had)
    for name in old["properties"].keys() & new["properties"].keys():
        fields = old["properties"][name], new["properties"][name]
        yield from _values(f"{path}{name}", *fields, roots)


def _values(path: str, old: Schema, new: Schema, roots: tuple[Schema, Schema]) -> Iterator[str]:
    old, new = (_found(field, root) for field, root in zip((old, new), roots, strict=True))
    if (was := _kinds(old)) != (now := _kinds(new)):
        yield f"{path} was {' or '.join(was)} and is {' or '.join(now)}."
    elif (before := old.get("const")) != (after := new.get("const")):
        yield f"{path} was always {before!r} and is {after!r}."
    elif "properties" in old:
        yield from _objects(f"{path}.", old, new, roots)
    elif "items" in old:
        yield from _values(f"{path}[]", old["items"], new["items"], roots)


def _found(field: Schema, root: Schema) -> Schema:
    reference = field.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else field


def _kinds(field: Schema) -> list[str]:
    return sorted(str(choice["type"]) for choice in field.get("anyOf", [field]))


def of_avro(earlier: Schema, later: Schema) -> list[str]:
    """Apply Avro's schema resolution both ways (Avro 1.12, "Schema Resolution")."""
    return [
        *(f"an earlier reader: {each}" for each in _unreadable("", writer=later, reader=earlier)),
        *(f"a later reader: {each}" for each in _unreadable("", writer=earlier, reader=later)),
    ]


def _unreadable(path: str, *, writer: Any, reader: Any) -> Iterator[str]:
    if isinstance(writer, list):
        for branch in writer:
            yield from _unreadable(path, writer=branch, reader=reader)
        return
    if isinstance(reader, list):
        if all(any(_unreadable(path, writer=writer, reader=branch)) for branch in reader):
            yield f"{path or 'the record'} may be {_name(writer)}, which it doesn't expect."
        return
    if _name(writer) != _name(reader):
        yield f"{path or 'the record'} was {_name(reader)}, but {_name(writer)} is written."
    elif isinstance(writer, dict) and writer["type"] == "array":
        yield from _unreadable(f"{path}[]", writer=writer["items"], reader=reader["items"])
    elif isinstance(writer, dict) and writer["type"] == "record":
        written = {field["name"]: field["type"] for field in writer["fields"]}
        for field in reader["fields"]:
            inner = f"{path}.{field['name']}".lstrip(".")
            if field["name"] in written:
                yield from _unreadable(inner, writer=written[field["name"]], reader=field["type"])
            elif "default" not in field:
                yield f"{inner} isn't written, and has no default."


def _name(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    return str(schema.get("name") or schema["type"])
