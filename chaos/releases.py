"""Releases of Mesto as folders: this one, and the one before it, taken out of git."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chaos.layout import ROOT
from chaos.programs import PATH

LOOKED_BACK = 1000  # commits
MIGRATIONS = "*/migrations/*.py"
LOCK = "requirements.txt"
BASELINE = "config/online/released.json"
# A key for commands that sign nothing.
BUILDING = {
    "SECRET_KEY": "a-key-that-collects-files-and-signs-nothing-which-matters-0123456789",
    "DATABASE_URL": "sqlite:///var/unused.sqlite3",
    "ENV_FILE": "/dev/null",
}


class NoRelease(Exception):
    """There is no release before this one to be had; the text says why."""


@dataclass(frozen=True)
class Release:
    """A folder with the code of a release, ready to be run by this Python."""

    name: str
    folder: Path

    def manage(
        self, *arguments: str, settings: dict[str, str], quiet: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of this release's manage.py."""
        environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", **settings}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
        )

    @property
    def has_static_files(self) -> bool:
        """Tell whether they were collected, and no source has changed since."""
        collected = self.folder / "var/static/staticfiles.json"
        if not collected.exists():
            return False
        sources = (path for path in (self.folder / "static").rglob("*") if path.is_file())
        return max(path.stat().st_mtime for path in sources) <= collected.stat().st_mtime

    def build(self) -> None:
        """Do what an installation does: compile the messages, collect the static files."""
        (self.folder / "var").mkdir(exist_ok=True)
        environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", **BUILDING}
        for command in (
            ["scripts/messages.py", "compile"],
            ["manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        ):
            done = subprocess.run(
                [sys.executable, *command],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise NoRelease(f"{' '.join(command)} failed in {self.folder}:\n{done.stderr}")

    def targets(self) -> dict[str, str]:
        """Return the last migration of each app of ours, for `migrate APP NAME`."""
        return _targets(path.relative_to(self.folder) for path in self.folder.glob(MIGRATIONS))


def _targets(paths: Iterable[Path]) -> dict[str, str]:
    return {path.parts[0]: path.stem for path in sorted(paths) if path.name[:4].isdigit()}


NOW = Release("this one", ROOT)


def before(home: Path, ref: str | None = None) -> Release:
    """Return the release before this one, its files in a folder below `home`.

    It is the given ref; otherwise the last tag; otherwise the last commit with the migrations that
    `released.json` calls released or, if those are ours, with other ones. Raise NoRelease without
    git, without such a commit, or if it needs packages that this one doesn't.
    """
    commit = _commit(ref)
    release = Release(commit[:12], home / "releases" / commit[:12])
    if not release.has_static_files:
        shutil.rmtree(release.folder, ignore_errors=True)
        _take_out(commit, release.folder)
        release.build()
    if missing := _packages(release.folder) - _packages(ROOT):
        named = ", ".join(sorted(missing))
        raise NoRelease(f"Release {release.name} needs other packages than this one: {named}.")
    return release


def _commit(ref: str | None) -> str:
    if Path(_git("rev-parse", "--show-toplevel")).resolve() != ROOT:
        raise NoRelease("This folder has no git of its own.")
    if ref:
        return _git("rev-parse", "--verify", f"{ref}^{{commit}}")
    if tag := _git("describe", "--tags", "--abbrev=0", "HEAD^", may_fail=True):
        return _git("rev-parse", f"{tag}^{{commit}}")
    released = json.loads((ROOT / BASELINE).read_text())["released"]
    ours = NOW.targets()
    for commit in _git("rev-list", f"--max-count={LOOKED_BACK}", "HEAD").splitlines():
        names = _git("ls-tree", "-r", "--name-only", commit, "--", *ours).splitlines()
        theirs = _targets(path for path in map(Path, names) if path.match(MIGRATIONS))
        wanted = theirs if ours.items() <= released.items() else released
        if theirs and theirs != ours and theirs.items() <= wanted.items():
            return commit
    raise NoRelease("No earlier commit has the migrations of a release.")


def _packages(folder: Path) -> set[str]:
    """Return the packages that a release needs; another version has to do."""
    return set(re.findall(r"^([\w.\[\]-]+)==", (folder / LOCK).read_text(), re.MULTILINE))


def _git(*arguments: str, may_fail: bool = False) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, env=_own()
        )
    except FileNotFoundError:
        raise NoRelease("There is no git here.") from None
    if done.returncode and not may_fail:
        raise NoRelease(f"git {arguments[0]}: {done.stderr.strip()}")
    return "" if done.returncode else done.stdout.strip()


def _own() -> dict[str, str]:
    """Return our environment without what makes git look at another repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _take_out(commit: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    command = ["git", "-C", str(ROOT), "archive", commit]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=_own()) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    if archive.returncode:
        raise NoRelease(f"git archive {commit} failed.")
