"""Rolling deployments: from the release before to this one, node after node, while people book.

    python -m chaos.rolling [--from REF] [--rounds 2]

Starts a cluster with the release before (the last tag, otherwise the last commit with other
migrations), lets a crowd book, runs this release's migrations beside the old code, and replaces one
machine's web node and worker after the other. Each further round first takes all of that back:
the nodes, then the migrations. Exits with 1 unless every request was answered in the end, and
every answer was true.

Where there is no earlier release (no git), the same one is started again, and the report says so.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path

from chaos import history, releases, report
from chaos.cluster import Cluster, NotStarted
from chaos.layout import ROOT, ask
from chaos.members import Crowd
from chaos.programs import Missing
from chaos.releases import NOW, NoRelease, Release
from chaos.scene import Scene
from chaos.verdict import judge

READY_WITHIN = 60.0  # seconds


class Failed(Exception):
    """A deployment stopped half-way; the text says where."""


@dataclass
class Rolled:
    """What was done, in the order in which it was done."""

    steps: list[str] = field(default_factory=list)
    say: Callable[[str], None] = lambda text: None

    def add(self, step: str) -> None:
        self.steps.append(step)
        self.say(step)

    def __str__(self) -> str:
        return "; ".join(self.steps)


def earlier(
    cluster: Cluster, ref: str | None = None, say: Callable[[str], None] = print
) -> Release | None:
    """Return the release before this one, or None where it can't be had; say why."""
    try:
        return releases.before(cluster.home, ref)
    except NoRelease as reason:
        if ref:
            raise
        say(f"{reason} So a rolling deployment starts the same release again.")
        return None


def begin_with(cluster: Cluster, release: Release) -> None:
    """Let every node of a cluster that has not been started yet begin with a release."""
    cluster.release = release
    for name in cluster.names_of("web", "worker"):
        cluster.trees[name] = release.folder


def roll(
    cluster: Cluster,
    before: Release | None,
    now: Release = NOW,
    say: Callable[[str], None] = lambda text: None,
) -> Rolled:
    """Deploy `now` over `before` in a running cluster; return what was done.

    If its nodes run another release than `before`, they go back to it first, also node after node,
    and so do the migrations. Without a `before`, `now` is restarted.
    """
    done = Rolled(say=say)
    if before is None:
        done.add("no earlier release can be had here: the same one is started again")
    else:
        if any(release_of(cluster, name) != before for name in nodes(cluster)):
            go_back(cluster, before, now, done)
        migrate(cluster, now, done)
    for pair in machines(cluster):
        replace(cluster, pair, now)
        done.add(f"{' and '.join(pair)} on {now.name}")
    cluster.release = now
    return done


def go_back(cluster: Cluster, before: Release, now: Release, done: Rolled) -> None:
    """Take a deployment back: the nodes first, then what the migrations have made."""
    for pair in machines(cluster):
        replace(cluster, pair, before)
        done.add(f"{' and '.join(pair)} back on {before.name}")
    cluster.release = before
    known = before.targets()
    for app, migration in now.targets().items():
        if known.get(app) != migration:
            _manage(cluster, now, "migrate", app, known.get(app, "zero"))
            done.add(f"{app} back to {known.get(app, 'zero')}")


def migrate(cluster: Cluster, now: Release, done: Rolled) -> None:
    """Migrate with the new code, beside nodes that run the old one."""
    applied = _manage(cluster, now, "migrate", "--no-input")
    names = [line.split()[1].rstrip(".") for line in applied.splitlines() if "... OK" in line]
    done.add(f"migrated: {', '.join(names) or 'nothing to do'}")


def replace(cluster: Cluster, names: list[str], release: Release) -> None:
    """Stop the web node and the worker of a machine, and start them with a release's code."""
    for name in names:
        cluster.terminate(name)
        cluster.trees[name] = release.folder
        cluster.start_one(name)
    for name in names:
        if name.startswith("web"):
            cluster.wait(f"{name} to be ready", partial(is_ready, cluster, name), READY_WITHIN)


def is_ready(cluster: Cluster, name: str) -> bool:
    number = int(name.removeprefix("web"))
    return ask(f"{cluster.webs[number - 1]}/readyz")[0] == 200


def machines(cluster: Cluster) -> list[list[str]]:
    """Return what is replaced together: a web node and the worker beside it."""
    pairs = zip_longest(cluster.names_of("web"), cluster.names_of("worker"))
    return [[name for name in pair if name] for pair in pairs]


def nodes(cluster: Cluster) -> list[str]:
    return cluster.names_of("web", "worker")


def release_of(cluster: Cluster, name: str) -> Release:
    folder = cluster.trees.get(name, NOW.folder)
    return NOW if folder == NOW.folder else Release(folder.name, folder)


def _manage(cluster: Cluster, release: Release, *arguments: str) -> str:
    done = release.manage(*arguments, settings=cluster.settings)
    if done.returncode:
        raise Failed(f"`{' '.join(arguments)}` of {release.name} failed:\n{done.stdout}")
    return done.stdout


# --- On its own ---


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="ref", metavar="REF", help="a tag or a commit")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--home", type=Path, default=ROOT / "var/rolling")
    asked = parser.parse_args()
    try:
        return play(asked.home, asked.ref, rounds=asked.rounds, webs=asked.webs)
    except (Missing, NotStarted, NoRelease, Failed) as error:
        print(error, file=sys.stderr)
        return 1


def play(home: Path, ref: str | None = None, *, rounds: int = 2, webs: int = 2) -> int:
    """Deploy under a crowd, print what happened, keep the report; return an exit code."""
    shutil.rmtree(home, ignore_errors=True)  # migrations of an earlier time are not the release's
    NOW.build()
    cluster = Cluster(home, webs=webs, workers=webs)
    before = earlier(cluster, ref)
    if before:
        print(f"From {before.name} to this release.", flush=True)
        begin_with(cluster, before)
    written = cluster.home / "rolling.jsonl"
    written.unlink(missing_ok=True)
    with cluster:
        scene = Scene.prepare(cluster.settings, tree=cluster.release.folder)
        writer = history.Writer(written)
        crowd = Crowd(cluster.site, writer, scene)
        crowd.start()
        for _ in range(rounds):
            pause(cluster)
            began = time.time()
            done = roll(cluster, before, say=lambda text: print(f"  {text}", flush=True))
            now = time.time()
            writer.write(history.Fault("rolling", "web, worker", began, now, now, str(done)))
        pause(cluster)
        crowd.stop()
        writer.close()
        verdict = judge(written, cluster.database)
        check = NOW.manage("check_bookings", settings=cluster.settings)
    page = report.write(written, verdict, cluster.home / "report")
    print(verdict.counts, check.stdout.strip(), f"Report: {page}", sep="\n")
    for kind, found in verdict.wrong.items():
        print(kind, *found[:10], sep="\n  ")
    is_good = verdict.is_good and not verdict.counts.unanswered and check.returncode == 0
    return 0 if is_good and not crowd.problems else 1


def pause(cluster: Cluster, seconds: float = 5) -> None:
    """Let the crowd book undisturbed for a while."""
    end = time.monotonic() + seconds
    cluster.wait("the crowd", lambda: time.monotonic() > end)


if __name__ == "__main__":
    sys.exit(main())
