"""Keep docs/schemas/ up to date: `event_schemas.py write | check | release`.

write    writes the schemas of an event, made from the code
check    fails when they differ from the code, or break who reads with those of the last release
release  makes today's schemas those of the last release: when one is tagged
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/schemas"
RELEASED = FOLDER / "released"


def main() -> None:
    commands = {"write": write, "check": check, "release": release}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    _set_up_django()
    commands[sys.argv[1]]()


def write() -> None:
    _write_to(FOLDER)


def check() -> None:
    from notifications.contracts.changes import broken
    from notifications.contracts.schemas import published

    if kept(FOLDER) != published():
        sys.exit(f"{FOLDER.relative_to(ROOT)} is stale: make schemas")
    if sentences := broken(kept(RELEASED), published()):
        sys.exit("\n".join(["This breaks who reads events today:", *sentences]))


def release() -> None:
    check()
    _write_to(RELEASED)


def kept(folder: Path) -> dict[str, Any]:
    """Return the schemas in a folder by the names of their files."""
    files = sorted((*folder.glob("*.json"), *folder.glob("*.avsc")))
    return {file.name: json.loads(file.read_text()) for file in files}


def _write_to(folder: Path) -> None:
    from notifications.contracts.schemas import published

    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in published().items():
        (folder / name).write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


def _set_up_django() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django
    from django.utils import translation

    django.setup()
    translation.activate("en")


if __name__ == "__main__":
    main()
