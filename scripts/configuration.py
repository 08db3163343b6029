"""Make docs/configuration.md and .env.example from config/declared: `write`; `check` for drift."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

from config.declared import SECTIONS  # noqa: E402  # the folder is on the path now
from config.declared.kinds import Setting  # noqa: E402  # see above

WIDTH = 100
PAGE = BASE / "docs/configuration.md"
EXAMPLE = BASE / ".env.example"


def page() -> str:
    lines = [
        "# Settings",
        "",
        "Made by `make configuration` from `config/declared`, where each is declared once; `make "
        "check` "
        "notices when the two differ.",
        "",
        "Each is a variable of the environment, or a line of `.env` beside the code; a real "
        "variable wins. "
        "An empty one counts as not set. A value that can't be used, or a name that is nearly one "
        "of "
        "these, stops every process at its start with a sentence that says which, what was given "
        "(never of a secret), and what is allowed. "
        "`manage.py check --deploy` also tells what a production site should have; `manage.py "
        "doctor` "
        "looks at what the settings lead to.",
    ]
    for section in SECTIONS:
        lines += ["", f"## {section.title}", "", "| Name | Allowed | Default | Read by | |"]
        lines.append("|---|---|---|---|---|")
        lines += [_row(setting) for setting in section.settings]
    return "\n".join(lines) + "\n"


def _row(setting: Setting) -> str:
    meaning = setting.meaning
    if setting.is_secret:
        meaning += " *Secret.*"
    cells = [f"`{setting.name}`", setting.allowed, _default(setting), setting.reader, meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(setting: Setting) -> str:
    if setting.otherwise:
        return setting.otherwise
    text = _text(setting.default)
    return f"`{text}`" if text else "nothing"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def example() -> str:
    lines = [
        "# Settings for this machine. `make run` copies this file to .env and adds a new key.",
        "# A real environment variable wins over the same name here.",
        "# docs/configuration.md has the defaults; both are made from config/declared.",
    ]
    for section in SECTIONS:
        settings = [setting for setting in section.settings if not setting.by_platform]
        if settings:
            lines += ["", f"# --- {section.title} {'-' * (WIDTH - 7 - len(section.title))}"]
        for setting in settings:
            lines += ["", *_comment(setting), _line(setting)]
    return "\n".join(lines) + "\n"


def _comment(setting: Setting) -> Iterator[str]:
    yield from textwrap.wrap(
        setting.meaning,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _line(setting: Setting) -> str:
    if setting.local is not None:
        return f"{setting.name}={setting.local}"
    value = setting.example.strip() or ("" if setting.example else _text(setting.default))
    return f"# {setting.name}={'' if value == 'None' else value}"


def main(task: str) -> int:
    made = {PAGE: page(), EXAMPLE: example()}
    if task == "write":
        for path, text in made.items():
            path.write_text(text)
        return 0
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(BASE)} differs from config/declared: run `make configuration`.")
    return 1 if stale else 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["write"], ["check"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
