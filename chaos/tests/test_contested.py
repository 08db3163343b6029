"""The command itself, small, on the engine of this pass."""

import os
import subprocess
import sys

from django.conf import settings
from django.db import connection


def test_every_contested_round_has_one_winner():
    command = [sys.executable, "-m", "chaos", "contested", "--rounds", "30"]
    environment = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
    done = subprocess.run(
        [*command, "--engine", connection.vendor],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(
        line.strip().split(maxsplit=1) for line in done.stdout.splitlines() if line[:1] == " "
    )
    assert (told["tries"], told["winners"], told["errors"]) == ("960", "30", "0")
