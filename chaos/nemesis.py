"""Faults at random moments in a whole cluster, while a crowd books: python -m chaos nemesis

One fault at a time; the next one waits until every node says that it is well again. Afterwards the
history of all answers is judged against the database that is left. Exits with 1 unless nothing
was lost or doubled, everybody got an answer, and the gaps were within their limits.
"""

import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from chaos import history, machines, report, rolling
from chaos.cluster import Cluster, NotStarted
from chaos.faults import FAULTS, SHORT, Arena, clocks
from chaos.layout import DATABASES, ROOT
from chaos.listeners import Listeners
from chaos.members import Crowd
from chaos.programs import PATH, Missing
from chaos.reporting.measures import measure
from chaos.scene import Scene
from chaos.verdict import Verdict, judge, keep

KEPT = ROOT / "var/chaos"
RECOVERY = 180.0  # seconds until a cluster that isn't well is given up
FEW_MEMBERS = 12  # of the short run


@dataclass
class Run:
    """One run: what it is about, and where it is kept."""

    asked: Namespace
    seed: int
    folder: Path
    no_machines: str

    @property
    def history(self) -> Path:
        return self.folder / report.HISTORY


def main(arguments: Sequence[str]) -> int:
    """Play a run; print what happened; return the exit code."""
    asked = parse(arguments)
    no_machines = machines.enter()  # starts this program again, in a namespace of its own
    folder = asked.keep.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    run = Run(asked, seed, folder, no_machines)
    run.history.unlink(missing_ok=True)
    say(f"Seed {seed}: python -m chaos nemesis --seed {seed} plays the same faults again.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    # Folders above it may be closed to the user that PostgreSQL runs as.
    home = Path(tempfile.mkdtemp(prefix="mesto-chaos-"))
    try:
        return play(run, home)
    except Missing as problem:
        say(f"Skipped. {problem}" if asked.or_skip else str(problem))
        return 0 if asked.or_skip else 1
    except NotStarted as problem:
        say(str(problem))
        return 1
    finally:
        keep_logs(home, folder)
        shutil.rmtree(home, ignore_errors=True)


def parse(arguments: Sequence[str]) -> Namespace:
    listed = "\n".join(f"  {fault.name:18} {fault.about}" for fault in FAULTS.values())
    parser = ArgumentParser(
        prog="python -m chaos nemesis",
        description=f"{__doc__}\nFaults:\n{listed}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="of an earlier run, to play the same faults")
    parser.add_argument("--rounds", type=int, default=2, help="how often each fault comes")
    parser.add_argument("--faults", metavar="A,B,…", type=named, help="only these")
    parser.add_argument(
        "--short",
        action="store_true",
        help=f"once each: {', '.join(SHORT)}; long gaps are printed, and forgiven",
    )
    parser.add_argument(
        "--or-skip", action="store_true", help="exit with 0 where programs are missing"
    )
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", default=KEPT, help="of history, report and logs"
    )
    asked = parser.parse_args(arguments)
    if asked.rounds < 1 or asked.webs < 2 or asked.workers < 1:
        parser.error("it takes a round, two web nodes and a worker")
    return asked


def named(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in FAULTS]:
        raise ArgumentTypeError(f"there is no fault {', '.join(unknown)}")
    return names


def play(run: Run, home: Path) -> int:
    places = None if run.no_machines else machines.Machines(DATABASES)
    writer = history.Writer(run.history)
    listeners = Listeners(writer, seed=run.seed)
    listeners.start()
    try:
        cluster = Cluster(
            home,
            webs=run.asked.webs,
            workers=run.asked.workers,
            settings=listeners.settings,
            machines=places,
        )
        clocks.install(cluster)
        arena = Arena(
            cluster, listeners, places, random.Random(run.seed), no_machines=run.no_machines
        )
        with cluster:
            problems = torment(run, arena, writer)
            keep(cluster.database, run.folder)
            verdict = judge(run.history, cluster.database)
            problems += check_bookings(cluster)
    finally:
        listeners.stop()
        writer.close()
    return conclude(run, verdict, [*problems, *listeners.problems])


def torment(run: Run, arena: Arena, writer: history.Writer) -> list[str]:
    """Let a crowd book while one thing after the other breaks; return what nobody should meet."""
    members = FEW_MEMBERS if run.asked.short else 20
    scene = Scene.prepare(arena.cluster.settings, members=members, hooks=arena.listeners.hooks)
    crowd = Crowd(arena.cluster.site, writer, scene, seed=run.seed)
    problems = []
    faults = schedule(run, arena)
    if "deployment" in faults:
        arena.before = rolling.earlier(arena.cluster, say=say)
    crowd.start()
    try:
        for name in faults:
            arena.hold(1, 5)
            strike(name, arena, run, writer)
        arena.hold(2, 4)
    except (NotStarted, rolling.Failed) as problem:
        problems.append(str(problem))
    say("Waiting for the last answers and deliveries.")
    done = Thread(target=crowd.stop)
    done.start()
    # What ends meanwhile is still looked after.
    arena.cluster.wait("the last answers", lambda: not done.is_alive(), 2 * crowd.patience + 60)
    return [*problems, *crowd.problems, *settle(arena)]


def schedule(run: Run, arena: Arena) -> list[str]:
    """Return the faults in the order of this seed, each round in another; say what is left out."""
    names: Sequence[str] = run.asked.faults or (SHORT if run.asked.short else tuple(FAULTS))
    possible = []
    for name in names:
        if reason := FAULTS[name].missing(arena):
            say(f"Left out: {name} ({FAULTS[name].about}): {reason}")
        else:
            possible.append(name)
    rounds = 1 if run.asked.short else run.asked.rounds
    return [name for _ in range(rounds) for name in arena.dice.sample(possible, len(possible))]


def strike(name: str, arena: Arena, run: Run, writer: history.Writer) -> None:
    """Break one thing, mend it, and wait until every node is well."""
    breaking = FAULTS[name].strike(arena)
    target = next(breaking)
    began, text = time.time(), ""
    try:
        next(breaking)
    except StopIteration as end:
        text = end.value
    ended = time.time()
    arena.turns[name] = arena.turns.get(name, 0) + 1
    recover(name, arena)
    fault = history.Fault(name, target, began, ended, time.time(), text)
    writer.write(fault)
    tell(fault, run.history)


def recover(name: str, arena: Arena) -> None:
    arena.wellness.begin()
    try:
        arena.cluster.wait(f"the end of {name}", arena.wellness.is_well, RECOVERY)
    except NotStarted as problem:
        raise NotStarted(f"{problem} It said: {arena.wellness.problem()}.") from None


def tell(fault: history.Fault, path: Path) -> None:
    """Print a line about a fault, with what members have noticed of it so far."""
    hit = measure(history.read(path)).hits[-1]
    at = datetime.fromtimestamp(fault.began, UTC).strftime("%H:%M:%S")
    say(
        f"{at} {fault.kind:18} {fault.target:12} no write for {hit.write_gap:4.1f} s,"
        f" well after {fault.recovered - fault.began:5.1f} s, {hit.failed} of {hit.tried} requests"
        f" failed{', ' if fault.text else ''}{fault.text}"
    )


def settle(arena: Arena) -> list[str]:
    """Wait until nothing waits any more, and nothing has come for a while."""
    seen: list[tuple[int, ...]] = []

    def is_quiet() -> bool:
        seen.append(arena.wellness.waiting())
        return seen[-1][:2] == (0, 0) and len(seen) > 15 and len(set(seen[-15:])) == 1

    try:
        arena.cluster.wait("everything to be decided and delivered", is_quiet, RECOVERY)
    except NotStarted as problem:
        requests, deliveries, *_ = seen[-1]
        return [f"{problem} {requests} requests and {deliveries} deliveries still wait."]
    return []


def check_bookings(cluster: Cluster) -> list[str]:
    """Return what the application's own check finds in the database that is left."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check_bookings"],
        cwd=ROOT,
        env={"PATH": PATH, "LC_ALL": "C.UTF-8", **cluster.settings},
        capture_output=True,
        text=True,
    )
    found = (done.stdout + done.stderr).strip()
    say(f"check_bookings: {found}")
    return [f"check_bookings: {found}"] if done.returncode else []


def conclude(run: Run, verdict: Verdict, problems: Sequence[str]) -> int:
    """Write the report, print the verdict, return the exit code."""
    measures = measure(history.read(run.history))
    page = report.write(run.history, verdict, run.folder, about(run), problems)
    for kind, found in verdict.wrong.items():
        print(f"{kind}:", *found[:10], sep="\n  ")
    for problem in problems:
        print(problem)
    for hit in measures.hits:
        for broken in hit.broken:
            print(f"{hit.fault.kind} of {hit.fault.target}: {broken}")
    counts = verdict.counts
    say(
        f"{len(measures.hits)} faults in {measures.duration:.0f} s: {counts.acts:,} acts,"
        f" {counts.tried:,} requests, {counts.unanswered} unanswered, {counts.retried:,} retried;"
        f" {counts.lost} lost, {counts.doubled} doubled. Report: {page}"
    )
    in_time = run.asked.short or measures.is_within_limits
    passed = (
        verdict.is_good and not counts.unanswered and in_time and measures.hits and not problems
    )
    say("Passed." if passed else "Failed.")
    return 0 if passed else 1


def about(run: Run) -> dict[str, str]:
    described = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    asked = run.asked
    found = {
        "Seed": str(run.seed),
        "Commit": described.stdout.strip() or "unknown",
        "Cluster": f"{DATABASES} databases, {asked.webs} web nodes, {asked.workers} workers",
        "Machine": f"{os.cpu_count()} cores, {platform.platform()}, "
        f"Python {platform.python_version()}",
    }
    if run.no_machines:
        found["Without machines of their own"] = run.no_machines
    return found


def keep_logs(home: Path, folder: Path) -> None:
    logs = folder / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir()
    for log in home.glob("*.log"):
        shutil.copy(log, logs)


def say(text: str) -> None:
    print(text, flush=True)
