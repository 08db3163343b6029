"""Fill the templates in: python -m deploy.render INVENTORY.toml --to FOLDER

The folder is copied to every machine as its /etc/mesto; its `systemd` goes to /etc/systemd/system.
Passwords are made once and kept in the folder's secrets.json: rendering again doesn't change them.
"""

import argparse
import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent / "templates"
VARIABLE = re.compile(r"@\{(\w+)\}")
SECRETS = (
    "superuser_password",
    "replication_password",
    "rewind_password",
    "site_password",
    "secret_key",
    "metrics_token",
)
SHARED = ("haproxy.cfg", "mesto.env", "first_start.sh", "archive_log.sh", "archive_base.sh")
OF_A_MACHINE = ("etcd.yml", "patroni.yml", "back_to.sh", "web.env")


@dataclass(frozen=True)
class Machine:
    """Where one node of everything listens."""

    host: str
    postgres_port: int = 5432
    patroni_port: int = 8008
    etcd_port: int = 2379
    etcd_peer_port: int = 2380
    web_port: int = 8000
    web_host: str = ""  # of a web node that is elsewhere

    @property
    def web_address(self) -> str:
        return f"{self.web_host or self.host}:{self.web_port}"


@dataclass(frozen=True)
class Inventory:
    values: Mapping[str, str]
    machines: Sequence[Machine]
    databases: int = 3  # the first so many machines have etcd and PostgreSQL

    @classmethod
    def read(cls, path: Path) -> "Inventory":
        found = tomllib.loads(path.read_text())
        return cls(found["cluster"], [Machine(**each) for each in found["machine"]])


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace each @{name}; a name without a value is a KeyError."""
    return VARIABLE.sub(lambda found: str(values[found[1]]), text)


def files(inventory: Inventory, passwords: Mapping[str, str]) -> dict[str, str]:
    """Return every file of the configuration by its path in the folder."""
    values = {**inventory.values, **passwords, **lists(inventory)}
    made = {name: fill(_template(name), values) for name in SHARED}
    for number, machine in enumerate(inventory.machines, start=1):
        own = {**values, **vars(machine), "number": str(number)}
        own["web_host"] = machine.web_host or machine.host
        for name in OF_A_MACHINE:
            if name == "web.env" or number <= inventory.databases:
                stem, _, suffix = name.partition(".")
                made[f"{stem}{number}.{suffix}"] = fill(_template(name), own)
    for unit in sorted((TEMPLATES / "systemd").iterdir()):
        made[f"systemd/{unit.name}"] = fill(unit.read_text(), values)
    return made


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text()


def lists(inventory: Inventory) -> dict[str, str]:
    """Return what names every machine."""
    numbered = list(enumerate(inventory.machines, start=1))
    nodes = numbered[: inventory.databases]
    return {
        "etcd_peers": ",".join(f"etcd{n}=http://{m.host}:{m.etcd_peer_port}" for n, m in nodes),
        "etcd_clients": ", ".join(f"'{m.host}:{m.etcd_port}'" for _, m in nodes),
        "database_servers": "\n".join(
            f"    server node{n} {m.host}:{m.postgres_port} check port {m.patroni_port}"
            for n, m in nodes
        ),
        "web_servers": "\n".join(f"    server web{n} {m.web_address} check" for n, m in numbered),
    }


def kept_secrets(folder: Path) -> dict[str, str]:
    """Return the folder's passwords; make those that it doesn't have yet."""
    path = folder / "secrets.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    found = {name: known.get(name) or secrets.token_hex(24) for name in SECRETS}
    if found != known:
        _write(path, json.dumps(found, indent=2))
    return found


def render(inventory: Inventory, folder: Path) -> None:
    """Write the configuration; nobody but its owner can read it."""
    (folder / "systemd").mkdir(parents=True, exist_ok=True)
    for name, text in files(inventory, kept_secrets(folder)).items():
        _write(folder / name, text, executable=name.endswith(".sh"))


def _write(path: Path, text: str, *, executable: bool = False) -> None:
    mode = 0o700 if executable else 0o600
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    path.chmod(mode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    asked = parser.parse_args()
    render(Inventory.read(asked.inventory), asked.to)
    print(f"Written to {asked.to}. It has passwords in it: copy it, but don't commit it.")


if __name__ == "__main__":
    main()
