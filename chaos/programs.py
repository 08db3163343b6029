"""The programs of a cluster: where they are, and how to get those that are missing."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts import postgres

NEEDED_OF_POSTGRES = ("postgres", "initdb", "psql", "pg_ctl", "pg_basebackup", "pg_rewind")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = {
    "patroni": "patroni",
    "etcd": "etcd-server",
    "haproxy": "haproxy",
    "postgres": "postgresql",
}


class Missing(Exception):
    """Programs are missing; the text says which, and how to get them."""


@dataclass(frozen=True)
class Programs:
    patroni: str
    etcd: str
    haproxy: str
    postgres: str  # the folder

    @classmethod
    def find(cls) -> "Programs":
        """Return where all are, or raise Missing."""
        found = {name: shutil.which(name, path=PATH) for name in ("patroni", "etcd", "haproxy")}
        found["postgres"] = _postgres_folder()
        missing = [name for name, path in found.items() if path is None]
        if missing:
            packages = " ".join(PACKAGES[name] for name in missing)
            raise Missing(
                f"A cluster needs programs that are missing here: {', '.join(missing)}.\n"
                f"On Debian and Ubuntu: apt-get install --no-install-recommends {packages}"
            )
        return cls(**{name: path for name, path in found.items() if path})


def _postgres_folder() -> str | None:
    """Return a folder with everything that Patroni calls."""
    for folder in postgres.system_folders():
        if all((Path(folder) / name).exists() for name in NEEDED_OF_POSTGRES):
            return str(folder)
    return None
