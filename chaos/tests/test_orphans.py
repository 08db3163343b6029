"""What Patroni lets go is buried as soon as it dies."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from chaos import orphans

pytestmark = pytest.mark.any_database


@pytest.fixture
def orphan(tmp_path):
    """A process called postgres, whose parent is gone."""
    orphans.take_up()
    program = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep"), program)
    start = f"{program} 100 >/dev/null 2>&1 & echo $!"
    return int(subprocess.run(["sh", "-c", start], capture_output=True, text=True).stdout)


def test_a_postgres_that_lost_its_parent_is_buried_when_it_dies(orphan):
    os.kill(orphan, signal.SIGKILL)
    while Path(f"/proc/{orphan}").exists():
        time.sleep(0.01)


def test_children_that_somebody_waits_for_are_left_to_them():
    orphans.take_up()
    done = subprocess.run(["sh", "-c", "exit 3"])
    assert done.returncode == 3
