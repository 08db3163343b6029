"""The files in which gunicorn's processes count: one for each process, and one for those gone.

prometheus-client adds up what is in them. A process that ends leaves its file, because what it
counted has happened; after a thousand restarts there would be a thousand files. So the first
process adds the numbers of each that ends to one file, and a reader never sees them halfway.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client reads it when it is imported
PREFIX = "mesto-metrics-"


def make(parent: Path) -> None:
    """Make the folder of this gunicorn, and remove those of killed ones."""
    for old in parent.glob(f"{PREFIX}*"):
        _remove_if_nobodys(old)
    folder = parent / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[FOLDER] = str(folder)
    # Inherited by the workers: held while any of them lives.
    alive = os.open(folder / "alive", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(alive, fcntl.LOCK_SH)


def _remove_if_nobodys(folder: Path) -> None:
    with suppress(OSError):  # it is somebody's, or of another user
        alive = os.open(folder / "alive", os.O_RDWR)
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(alive)


def remove() -> None:
    """Remove this gunicorn's folder, when it ends."""
    folder = Path(os.environ.get(FOLDER, "-"))
    if folder.name == f"{PREFIX}{os.getpid()}":
        shutil.rmtree(folder, ignore_errors=True)


def gather(pid: int) -> None:
    """Add what a process that has ended counted to the numbers of those before it."""
    from prometheus_client.mmap_dict import MmapedDict  # not before FOLDER is set

    folder = Path(os.environ.get(FOLDER, "-"))
    for path in folder.glob(f"*_{pid}.db"):
        kind = path.name.removesuffix(f"_{pid}.db")
        with undisturbed(folder):
            gone = MmapedDict(str(folder / f"{kind}_gone.db"))  # type: ignore[no-untyped-call]  # theirs isn't
            for key, value, *_ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]  # theirs isn't
                so_far, _at = gone.read_value(key)  # type: ignore[no-untyped-call]  # theirs isn't
                gone.write_value(key, so_far + value, 0.0)  # type: ignore[no-untyped-call]  # theirs isn't
            gone.close()  # type: ignore[no-untyped-call]  # theirs isn't
            path.unlink()


@contextmanager
def undisturbed(folder: Path) -> Iterator[None]:
    """Keep others from reading, or adding up, meanwhile."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
