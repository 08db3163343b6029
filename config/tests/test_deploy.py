"""The files of a self-hosted cluster: each is well-formed for the program that reads it."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.programs import PATH, Missing, Programs
from deploy import render

pytestmark = pytest.mark.any_database

EXAMPLE = Path(render.__file__).parent / "example.toml"
NAMES = sorted(render.files(render.Inventory.read(EXAMPLE), dict.fromkeys(render.SECRETS, "x")))


def program(name):
    return shutil.which(name, path=PATH) or pytest.skip(f"{name} is not installed")


@pytest.fixture
def folder(tmp_path):
    """The example's configuration, with programs and folders of this machine."""
    inventory = render.Inventory.read(EXAMPLE)
    here = {
        "etc": str(tmp_path),
        "data": str(tmp_path),
        "run": str(tmp_path),
        "web_bind": "127.0.0.1:8443",
        "source": str(EXAMPLE.parent.parent),
        "python": sys.executable,
        "database_user": "daemon",
        "site_user": "daemon",
        "balancer_user": "daemon",
    }
    machines = [replace(each, host="127.0.0.1") for each in inventory.machines]
    values = {**inventory.values, **here}
    render.render(replace(inventory, values=values, machines=machines), tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_no_variable_is_left_over(folder, name):
    assert not re.search(r"@\{|\{\}|None", (folder / name).read_text())


def test_a_variable_without_a_value_is_refused():
    with pytest.raises(KeyError):
        render.fill("@{nobody_knows}", {})


def test_nobody_else_can_read_the_passwords(folder):
    assert [name for name in NAMES if (folder / name).stat().st_mode & 0o077] == []


def test_rendering_again_keeps_the_passwords(folder):
    before = (folder / "secrets.json").read_text()
    assert render.kept_secrets(folder)
    assert (folder / "secrets.json").read_text() == before


def test_haproxy_accepts_its_file(folder):
    check = subprocess.run(
        [program("haproxy"), "-c", "-f", folder / "haproxy.cfg"], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr
    assert "WARNING" not in check.stderr


@pytest.mark.parametrize("number", [1, 2, 3])
def test_patroni_accepts_its_file(folder, number):
    check = subprocess.run(
        [program("patroni"), "--validate-config", folder / f"patroni{number}.yml"],
        capture_output=True,
        text=True,
    )
    # It also looks at what runs here, and version 3 misses what `postgresql.pg_hba` makes useless.
    said = [line for line in (check.stdout + check.stderr).splitlines() if line.strip()]
    assert [line for line in said if not HARMLESS.search(line)] == []


HARMLESS = re.compile(
    r"(bootstrap\.pg_hba +is not defined|is not reachable|didn't pass validation|already in use)"
)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("systemd/")])
def test_systemd_accepts_its_units(folder, name):
    """As an instance: `systemd-analyze verify` needs the number that a template gets."""
    try:
        Programs.find()
    except Missing as missing:
        pytest.skip(str(missing))
    unit = folder / name.replace("@", "@1")
    shutil.copy(folder / name, unit)
    check = subprocess.run(
        [program("systemd-analyze"), "verify", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
    )
    assert (check.returncode, check.stderr) == (0, "")
