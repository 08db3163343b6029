"""Set-ups as another process sees them, which keeps its own."""

import json
import subprocess
import sys

from django.conf import settings

from config.tests import processes
from spaces import setups
from spaces.models import Space
from spaces.setups import Setup


def content(setup: Setup) -> str:
    """Write down everything that a set-up has, but for its stamp."""
    its = setup._loaded
    rows = [columns(row) for row in (its.space, *its.places)]
    rest = [its.hours, its.closures, sorted(its.policies, key=str), sorted(its.parts.items())]
    rest += [its.turns, its.shifts]
    return json.dumps([rows, rest], default=str)


def columns(row) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def seen(space: int) -> str:
    try:
        return content(setups.current(space))
    except Space.DoesNotExist:
        return "gone"


def answer() -> None:
    """Print what this process sees of each space whose key is on a line of its input."""
    for line in sys.stdin:
        sys.stdout.write(seen(int(line)) + "\n")
        sys.stdout.flush()


class Elsewhere:
    """A process that answers."""

    def __init__(self) -> None:
        call = f"from {__name__} import answer; answer()"
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", call],
            cwd=settings.BASE_DIR,
            env=processes.environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sees(self, space: int) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{space}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")

    def stop(self) -> None:
        self._process.communicate()  # its input ends, and so does it
