"""Processes that play something together, and a parent that notices when one of them is gone."""

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

SILENCE = 600  # seconds without a word from anybody until the game is given up
DONE = "done"


class Say(Protocol):
    """How a process tells the parent something; from one thread at a time."""

    def __call__(self, what: Any) -> None: ...


def play(
    target: Callable[..., None], shares: Iterable[Sequence[Any]], silence: float = SILENCE
) -> tuple[list[Any], list[str]]:
    """Run `target(say, *arguments)` in a process for each share of arguments.

    Return what they said, and who of them was lost: then the others, who may be waiting for it,
    are ended too.
    """
    context = multiprocessing.get_context("spawn")
    players: dict[Connection, Any] = {}
    for number, arguments in enumerate(shares, 1):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_run, args=(target, theirs, *arguments), name=f"player {number}", daemon=True
        )
        process.start()
        theirs.close()  # or the pipe would stay open when the process is killed
        players[ours] = process
    try:
        return _listen(players, silence)
    finally:
        for process in players.values():
            process.kill()
            process.join()


def _run(target: Callable[..., None], pipe: Connection, *arguments: Any) -> None:
    target(pipe.send, *arguments)
    pipe.send(DONE)


def _listen(players: dict[Connection, Any], silence: float) -> tuple[list[Any], list[str]]:
    said: list[Any] = []
    playing = dict(players)
    while playing:
        ready = wait(list(playing), silence)
        if not ready:
            return said, [f"nobody said anything for {silence:.0f} s"]
        for pipe in ready:
            assert isinstance(pipe, Connection)
            with suppress(EOFError, OSError):
                what = pipe.recv()
                if what != DONE:
                    said.append(what)
                    continue
                del playing[pipe]
                continue
            process = playing.pop(pipe)
            process.join()
            said += _rest(playing)
            return said, [f"{process.name} ended with {process.exitcode}"]
    return said, []


def _rest(playing: Iterable[Connection]) -> list[Any]:
    """Return what the others have said already."""
    found = []
    for pipe in playing:
        with suppress(EOFError, OSError):
            while pipe.poll():
                found.append(pipe.recv())
    return [what for what in found if what != DONE]
