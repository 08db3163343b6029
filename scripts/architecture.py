"""Keep docs/architecture.md up to date: `architecture.py write | check`.

write  redraws the rooms, the states and the tables, from the import contracts, from
       `bookings.states.TRANSITIONS` and from the models; the text around them stays
check  fails when parts of the page differ from the code, and names them
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/architecture.md"
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    commands = {"write": write, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    _set_up_django()
    commands[sys.argv[1]]()


def write() -> None:
    PAGE.write_text(_written(PAGE.read_text()))


def check() -> None:
    page = PAGE.read_text()
    if (found := [part[2] for part in PART.finditer(page)]) != ["rooms", "states", "tables"]:
        sys.exit(f"{PAGE.relative_to(ROOT)} has lost the marker of a generated part: {found}")
    written = zip(PART.finditer(page), PART.finditer(_written(page)), strict=True)
    stale = [old[2] for old, new in written if old[0] != new[0]]
    if stale:
        sys.exit(f"{PAGE.relative_to(ROOT)} is stale ({', '.join(stale)}): make architecture")


def _set_up_django() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.utils import translation

    django.setup()
    translation.activate("en")


def _written(page: str) -> str:
    parts = {"rooms": rooms, "states": states, "tables": tables}
    return PART.sub(lambda found: f"{found[1]}{parts[found[2]]()}{found[3]}", page)


def rooms() -> str:
    """Draw the layers that import-linter enforces; each may import what is below it."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    outer, inner = (
        contract["layers"]
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    lines = ["flowchart TB"]
    lines += [f"    {upper} --> {lower}" for upper, lower in pairwise(outer)]
    lines += ["    subgraph bookings", "        direction TB"]
    named = {layer: f"layer{n}[{layer.replace(' | ', ', ')}]" for n, layer in enumerate(inner)}
    lines += [f"        {named[layer]}" for layer in inner]
    lines += [
        f"        {named[upper].partition('[')[0]} --> {named[lower].partition('[')[0]}"
        for upper, lower in pairwise(inner)
    ]
    return _mermaid([*lines, "    end"])


def states() -> str:
    """Draw where a booking may go from each state; states that nothing leads to yet are dashed."""
    from bookings.states import MET, TRANSITIONS, State

    lines = ["stateDiagram-v2", f"    [*] --> {State.CREATED}", f"    [*] --> {State.CONFIRMED}"]
    lines += [f"    [*] --> {State.REJECTED}"]
    for state, targets in TRANSITIONS.items():
        lines += [f"    {state} --> {target}" for target in State if target in targets]
        lines += [] if targets else [f"    {state} --> [*]"]
    lines += ["    classDef later stroke-dasharray: 4"]
    lines += [f"    class {state} later" for state in State if state not in MET]
    return _mermaid(lines)


def tables() -> str:
    """Describe every table: what a row is, and its columns as the models declare them."""
    from django.apps import apps

    text = ""
    for label in ("accounts", "spaces", "bookings", "notifications", "config"):
        if not apps.is_installed(label):
            continue
        for model in apps.get_app_config(label).get_models():
            text += "\n".join(_table(model)) + "\n\n"
    return text


def _table(model: type) -> Iterator[str]:
    from inspect import getdoc

    options = model._meta  # type: ignore[attr-defined]  # a model
    yield f"### `{options.db_table}`"
    yield ""
    yield (getdoc(model) or "").replace("\n\n", "\n").replace("\n", " ")
    yield ""
    yield "| column | type | what |"
    yield "|---|---|---|"
    for field in options.concrete_fields:
        kind = "→ `" + field.related_model._meta.db_table + "`" if field.is_relation else ""
        kind = kind or field.get_internal_type().removesuffix("Field").lower()
        if getattr(field, "max_length", None):
            kind += f"({field.max_length})"
        said = [str(field.verbose_name)] if str(field.verbose_name) != _plain(field.name) else []
        said += ["the key"] if field.primary_key else []
        said += ["unique"] if field.unique and not field.primary_key else []
        said += ["may be empty"] if field.null else []
        said += [str(field.help_text)] if field.help_text else []
        yield f"| `{field.column}` | {kind} | {'; '.join(said)} |"
    for field in options.many_to_many:
        yield f"| `{field.name}` | ↔ `{field.related_model._meta.db_table}` | a table of its own |"
    kept = [constraint.name for constraint in options.constraints]
    if kept:
        yield ""
        yield "Constraints: " + ", ".join(f"`{name}`" for name in kept) + "."


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _mermaid(lines: list[str]) -> str:
    return "\n".join(["```mermaid", *lines, "```", ""])


if __name__ == "__main__":
    main()
