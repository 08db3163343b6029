"""Serve the site and keep a worker beside it, as `make run` does: serve.py

A worker that dies is restarted, after a pause that doubles while it keeps dying young. When the
site ends, or somebody stops us, the other ends too; a second Ctrl-C kills both at once.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

WEB = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
WORKER = [sys.executable, "manage.py", "worker"]

STOPS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
YOUNG = 10.0  # seconds
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds

type Hear = Callable[[float | None], set[int]]


class Worker:
    """The current worker, and when the next one may start."""

    def __init__(self) -> None:
        self._pause = SHORTEST_PAUSE / 2
        self._start()

    def _start(self) -> None:
        self.process = start(WORKER)
        self._started_at = time.monotonic()
        self._again_at: float | None = None

    def look_after(self) -> float | None:
        """Start another when it is time; return in how many seconds to check again, if at all."""
        code, now = self.process.poll(), time.monotonic()
        if code is None:
            return None
        if self._again_at is None:
            was_young = now < self._started_at + YOUNG
            self._pause = min(2 * self._pause, LONGEST_PAUSE) if was_young else SHORTEST_PAUSE
            self._again_at = now + self._pause
            print(f"The worker ended ({ending(code)}). Another in {self._pause:.0f} s.", flush=True)
        if now >= self._again_at:
            self._start()
            return None
        return self._again_at - now


def ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, preexec_fn=partial(end_with, os.getpid()))


def end_with(parent: int) -> None:
    """Make Linux stop this process when its parent dies, even by SIGKILL."""
    if sys.platform == "linux":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # exec would lose our own handler
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGTERM))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def stop(processes: list[subprocess.Popen[bytes]], hear: Hear) -> None:
    """Let all finish what they are doing, or nothing when somebody is in a hurry."""
    for process in processes:
        process.terminate()
    while any(process.poll() is None for process in processes):
        if STOPS & hear(None):
            for process in processes:
                process.kill()


@contextmanager
def hearing() -> Iterator[Hear]:
    """Yield a function that waits that many seconds for signals and returns those that came."""
    heard, tell = os.pipe()
    os.set_blocking(heard, False)
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    for number in (*STOPS, signal.SIGCHLD):
        is_nohup = number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
        if not is_nohup:
            signal.signal(number, lambda *_: None)

    def hear(seconds: float | None) -> set[int]:
        ready, _, _ = select.select([heard], [], [], seconds)
        return set(os.read(heard, 1024)) if ready else set()

    yield hear


def main() -> int:
    end_with(os.getppid())
    os.environ.setdefault("LOG_FORMAT", "console")  # somebody is looking
    with hearing() as hear:
        web, worker = start(WEB), Worker()
        while web.poll() is None:
            if STOPS & hear(worker.look_after()):
                break
        code = web.poll()
        stop([web, worker.process], hear)
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
