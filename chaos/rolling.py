"""Rolling deployments: from one release to another, node after node, while people book.

    cluster = Cluster(home)
    earlier = rolling.earlier(cluster)          # None without git: the same release is started again
    with cluster:
        rolling.roll(cluster, earlier, NOW)

A node has the code of one release. Migrations of the newer release run first, beside the older one;
see deploy/README.md, "Upgrade without downtime", which this does step by step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest

from chaos import releases
from chaos.cluster import Cluster
from chaos.layout import ask
from chaos.releases import NOW, NoRelease, Release

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


def earlier(cluster: Cluster, ref: str | None = None) -> Release | None:
    """Return the release before this one, or None where it can't be had."""
    try:
        return releases.before(cluster.home, ref)
    except NoRelease:
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
    targets = now.targets()
    for app, migration in before.targets().items():
        if targets.get(app) != migration:
            _manage(cluster, now, "migrate", app, migration)
            done.add(f"{app} back to {migration}")


def migrate(cluster: Cluster, now: Release, done: Rolled) -> None:
    """Migrate with the new code, beside nodes that run the old one."""
    applied = _manage(cluster, now, "migrate", "--no-input")
    names = [line.split()[1] for line in applied.splitlines() if "... OK" in line]
    done.add(f"migrated: {', '.join(names) or 'nothing to do'}")


def replace(cluster: Cluster, names: list[str], release: Release) -> None:
    """Stop the web node and the worker of a machine, and start them with a release's code."""
    for name in names:
        cluster.terminate(name)
        cluster.trees[name] = release.folder
        cluster.start_one(name)
    for name in names:
        if name.startswith("web"):
            address = f"{cluster.webs[int(name.removeprefix('web')) - 1]}/readyz"
            cluster.wait(f"{name} to be ready", lambda: ask(address)[0] == 200, READY_WITHIN)


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
