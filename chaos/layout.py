"""The files of a cluster on one machine: the same templates, other ports and folders."""

import json
import os
import pwd
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos.machines import NETWORK, Machines
from chaos.programs import Programs
from deploy.render import Inventory, Machine, render
from scripts.postgres import free_port

ROOT = Path(__file__).resolve().parent.parent
DATABASES = 3
HERE = "127.0.0.1"
ARCHIVE = ("log", "bases")


class Layout:
    """Where `count` machines of a cluster listen, and the folder with their files."""

    def __init__(
        self,
        home: Path,
        count: int,
        account: dict[str, Any],
        settings: Mapping[str, str] | None = None,
        *,
        apart: bool = False,
        archived: bool = False,
    ) -> None:
        """With `apart`, the databases have machines of their own: see chaos/machines.py."""
        self._archived = archived
        self._home, self._account, self._settings = home, account, settings or {}
        self._network = NETWORK if apart else "127.0.0.1/32"
        self._folders = [home, home / "data", *(home / "archive" / name for name in ARCHIVE)]
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
        self.ports = self._kept_ports(count)
        self.machines = [
            Machine(Machines.host(number) if apart else HERE, *[*ports, HERE])
            for number, ports in enumerate(self.ports["machines"][:count], start=1)
        ]

    def write(self, programs: Programs) -> None:
        """Fill the templates in, for the unprivileged user to read."""
        replica = f"{HERE}:{self.ports['replica']}"
        database = f"{HERE}:{self.ports['database']}"
        web = f"{HERE}:{self.ports['web']}"
        values = {
            **vars(programs),
            "network": self._network,
            "database_bind": database,
            "database_address": database,
            "replica_bind": replica,
            "replica_address": replica,
            "web_bind": web,
            "allowed_hosts": "127.0.0.1,localhost",
            "site_url": f"http://{web}",
            "https": "false",
            "web_processes": "2",
            "shared_buffers": "64MB",
            "etcd_state": "new",
            "archive": str(self._home / "archive"),
            "archive_mode": "on" if self._archived else "off",
            "etc": str(self._home),
            "data": str(self._home / "data"),
            "run": str(self._home),
            "source": str(ROOT),
            "python": sys.executable,
            **dict.fromkeys(("database_user", "site_user", "balancer_user"), "nobody"),
        }
        render(Inventory(values, self.machines), self._home)
        with (self._home / "mesto.env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in self._settings.items())
        if self._account:
            for path in (*self._folders, *self._home.glob("*.*")):
                os.chown(path, self._account["user"], self._account["group"])

    def _kept_ports(self, count: int) -> dict[str, Any]:
        """Return the ports: etcd and Patroni remember theirs, so they are chosen once."""
        path = self._home / "ports.json"
        ports = json.loads(path.read_text()) if path.exists() else {"machines": []}
        taken = {port for machine in ports["machines"] for port in machine}

        def another() -> int:
            port = next(port for port in iter(free_port, None) if port not in taken)
            taken.add(port)
            return port

        for name in ("database", "replica", "web"):
            ports.setdefault(name, another())
        while len(ports["machines"]) < count:
            ports["machines"].append([another() for _ in range(5)])
        path.write_text(json.dumps(ports))
        return dict(ports)


def unprivileged() -> dict[str, Any]:
    """Return the user to run as, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def ask(address: str, seconds: float = 3) -> tuple[int, str]:
    """Return status and body of an address; 0 if nobody answers within so many seconds."""
    try:
        with urllib.request.urlopen(address, timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except (OSError, ValueError):
        return 0, ""
