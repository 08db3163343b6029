"""Lint the Dockerfile and the workflows, and run the Dockerfile's steps without a container engine.

`/app` and `/venv` become folders of a temporary one. Steps that need root of a container of its own
(apt-get, useradd) are said and left out; so is a linter that isn't there. Then what compose.yaml
runs in that image is run in those folders.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts import composed, postgres

BASE = Path(__file__).resolve().parent.parent
FILE = BASE / "Dockerfile"
INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$", re.DOTALL)
CONTAINER_ONLY = ("apt-get", "useradd")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction with its words, lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if found := INSTRUCTION.match(line.strip()):
            yield found[1], found[2].strip()


class Steps:
    """The steps of a Dockerfile, done in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._at = folder, folder
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.environ |= {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
        self.stage = ""
        self.command: list[str] = []
        self.health: list[str] = []

    def do(self, name: str, words: str) -> None:
        done = getattr(self, f"_{name.lower()}", None)
        if done is not None:
            done(words)

    def _here(self, text: str) -> str:
        return re.sub(r"(?<![\w.])/(app|venv)\b", rf"{self._folder}/\1", text)

    def _from(self, words: str) -> None:
        self.stage = words.rpartition(" AS ")[2] if " AS " in words else ""

    def _workdir(self, words: str) -> None:
        self._at = Path(self._here(words))
        self._at.mkdir(parents=True, exist_ok=True)

    def _env(self, words: str) -> None:
        for pair in shlex.split(self._here(words)):
            name, _, value = pair.partition("=")
            self.environ[name] = value.replace("$PATH", self.environ["PATH"])

    def _copy(self, words: str) -> None:
        if words.startswith("--from="):
            return  # the folder is the same
        *sources, target = words.split()
        for source in sources:
            to = self._at / target if not target.endswith("/") else self._at / target / source
            to.parent.mkdir(parents=True, exist_ok=True)
            if (BASE / source).is_dir():
                leave = shutil.ignore_patterns("__pycache__", "*.mo")
                shutil.copytree(BASE / source, to, ignore=leave, dirs_exist_ok=True)
            else:
                shutil.copy(BASE / source, to)

    def _run(self, words: str) -> None:
        if any(each in words for each in CONTAINER_ONLY):
            print(f"left out, needs a container: {words}", flush=True)
            return
        print(f"RUN {words}", flush=True)
        self._shell(self._here(words))

    def _cmd(self, words: str) -> None:
        self.command = json.loads(words)

    def _shell(self, script: str) -> None:
        # `python` is the image's: here, the one that runs this.
        own = Path(tempfile.mkdtemp(dir=self._folder))
        (own / "python").symlink_to(sys.executable)
        environ = {**self.environ, "PATH": f"{own}:{self.environ['PATH']}"}
        subprocess.run(["sh", "-euc", script], cwd=self._at, env=environ, check=True)

    def _healthcheck(self, words: str) -> None:
        self.health = json.loads(words.partition("CMD ")[2])

    def check(self) -> None:
        """Let the command of the image say whether it could start, with nothing writable."""
        program = self._folder / "venv/bin" / self.command[0]
        environ = {**self.environ, "SECRET_KEY": "x" * 50, "ENV_FILE": os.devnull}
        checked = [str(program.with_name("python")), "-m", *self.command, "--check-config"]
        subprocess.run(checked, cwd=self._folder / "app", env=environ, check=True)
        print(f"CMD {' '.join(self.command)}: its configuration is right")


def lint() -> int:
    wrong = 0
    linters = {
        "hadolint": ["hadolint", "--failure-threshold", "warning", "Dockerfile"],
        "actionlint": ["actionlint", *map(str, sorted(BASE.glob(".github/workflows/*.yml")))],
    }
    for name, command in linters.items():
        own = BASE / ".venv/bin" / name
        program = str(own) if own.exists() else shutil.which(name)
        if program is None:
            print(f"SKIPPED: {name} is not here; the workflow runs it")
            continue
        wrong |= subprocess.run([program, *command[1:]], cwd=BASE).returncode
    return wrong


def main() -> int:
    if lint():
        return 1
    with tempfile.TemporaryDirectory(prefix="mesto-image-") as folder:
        steps = Steps(Path(folder))
        for name, words in instructions(FILE.read_text()):
            steps.do(name, words)
        steps.check()
        image = composed.Image(Path(folder) / "app", steps.environ, steps.command, steps.health)
        with postgres.server() as url:
            composed.play(image, url)
        size = sum(
            path.stat().st_size
            for path in Path(folder).rglob("*")
            if path.is_file() and not path.is_symlink()
        )
        print(f"{size // 1_000_000} MB of ours over the base image, before compression")
    return 0


if __name__ == "__main__":
    sys.exit(main())
