"""One run: a crowd on a small site with faults, judged afterwards. The same for every tree."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.site import ENVIRONMENT
from chaos.history import Act, Fault, Heard, Writer
from chaos.listeners import Listeners
from chaos.members import Crowd
from chaos.mutants.keyless import Keyless
from chaos.mutants.network import Network
from chaos.mutants.site import Databases, Site, wait_until_told
from chaos.scene import Scene
from chaos.verdict import judge

ACTS, LONGEST = 160, 120  # of the crowd; seconds that they may take
KEYLESS = 50  # answers to the program without keys
BETWEEN_KILLS = 40  # acts; then all web processes are killed at once
MEMBERS, RATE = 16, 16.0  # acts a second, of all of them
LOST = 0.06  # of the answers to COMMIT

#: Some commits take long: others, with higher keys, are there before them.
SLOW_COMMITS = """
    CREATE FUNCTION chaos_slow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER chaos_slow AFTER INSERT ON bookings_bookingevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id % 5 = 0) EXECUTE FUNCTION chaos_slow()
"""


class Counting(Writer):
    """A history that knows how many acts it has."""

    acts = 0

    def write(self, what: Act | Heard | Fault) -> None:
        super().write(what)
        self.acts += isinstance(what, Act)


@dataclass
class Trial:
    """What was found, by kind, and how long it took."""

    wrong: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    counts: str = ""

    @property
    def is_good(self) -> bool:
        return not any(self.wrong.values())


def run(tree: Path, databases: Databases, folder: Path, *, sql: str = "") -> Trial:
    """Let a crowd loose on the application of a tree; return what the checker says."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    name = databases.another(SLOW_COMMITS, sql)
    url = databases.url(name)
    network = Network(databases.server.port, share=LOST)
    writer = Counting(folder / "history.jsonl")
    listeners = Listeners(writer)
    listeners.start()
    settings = {**ENVIRONMENT, "CACHE_URL": "locmemcache://", **listeners.settings}
    try:
        scene = Scene.prepare(
            {**settings, "DATABASE_URL": url}, members=MEMBERS + 1, hooks=listeners.hooks
        )
        settings["DATABASE_URL"] = databases.url(name, network.port)
        crowd, keyless = _play(Site(tree, settings, folder / "log"), scene, writer, network, url)
    finally:
        listeners.stop()
        network.close()
        writer.close()
    verdict = judge(folder / "history.jsonl", url)
    counts = verdict.counts
    return Trial(
        {
            **verdict.wrong,
            "keyless": list(keyless.wrong(url)),
            "complaints": crowd.problems,
            "nothing": []
            if counts.answered >= ACTS / 2 and network.lost
            else [f"too little: {counts}"],
        },
        time.monotonic() - began,
        f"{counts.answered} acts, {counts.retried} retried, {network.lost} lost answers to COMMIT; "
        f"without a key {dict(keyless.told)}",
    )


def _too_little(acts: int, keyless: int, lost: int) -> list[str]:
    """Say so when nothing can have been found because nothing happened."""
    if acts >= ACTS / 2 and keyless >= KEYLESS / 2 and lost:
        return []
    return [f"only {acts} acts, {keyless} without a key, {lost} lost answers to COMMIT"]


def _play(
    site: Site, scene: Scene, writer: Counting, network: Network, url: str
) -> tuple[Crowd, Keyless]:
    crowd = Crowd(site.address, writer, replace(scene, members=scene.members[:-1]), rate=RATE)
    keyless = Keyless(site.address, scene.members[-1], scene.space("free"))
    with site.running():
        crowd.start()
        keyless.start()
        end = time.monotonic() + LONGEST
        for acts in range(BETWEEN_KILLS, ACTS + 1, BETWEEN_KILLS):
            while writer.acts < acts and time.monotonic() < end:
                time.sleep(0.1)
            site.kill_web()
            site.start_web()
        while keyless.answered < KEYLESS and time.monotonic() < end:
            time.sleep(0.1)
        keyless.stop()
        network.calm()
        crowd.stop()
        wait_until_told(url)
    return crowd, keyless
