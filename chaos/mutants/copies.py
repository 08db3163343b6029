"""Throwaway copies of the source tree, and small exact replacements in them."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: What a copy doesn't need, or makes for itself.
LEFT_OUT = (
    *(".git", ".venv", ".venv-schemathesis", ".env", "var", "__pycache__", ".hypothesis"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".schemathesis"),
)


class DoesNotApply(Exception):
    """The text that a replacement looks for isn't there exactly once."""


@dataclass(frozen=True)
class Edit:
    """A text of a file, and what stands there instead."""

    path: str
    before: str
    after: str

    def done_to(self, text: str) -> str:
        """Return a file's text as it would be. Raises DoesNotApply."""
        if (found := text.count(self.before)) != 1:
            raise DoesNotApply(f"{self.path} has this {found} times, not once:\n{self.before}")
        return text.replace(self.before, self.after)


def copy(tree: Path, to: Path) -> Path:
    """Copy a source tree into a folder that doesn't exist yet."""
    shutil.copytree(tree, to, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    (to / "var").mkdir()
    return to


def edited(edits: Iterable[Edit], tree: Path) -> dict[Path, str]:
    """Return the texts of the files that would change. Raises DoesNotApply."""
    texts: dict[Path, str] = {}
    for edit in edits:
        file = tree / edit.path
        if file not in texts:
            texts[file] = file.read_text() if file.exists() else ""
        texts[file] = edit.done_to(texts[file])
    return texts


def apply(edits: Iterable[Edit], tree: Path) -> None:
    """Replace in a tree; all or, raising DoesNotApply, nothing."""
    for file, text in edited(edits, tree).items():
        file.write_text(text)
