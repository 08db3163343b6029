"""One run: a crowd on a small site with faults, judged afterwards. The same for every tree."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.site import ENVIRONMENT
from chaos import history
from chaos.listeners import Listeners
from chaos.members import Crowd
from chaos.mutants.keyless import Keyless
from chaos.mutants.network import Network
from chaos.mutants.site import Databases, Site, wait_until_told
from chaos.scene import Scene
from chaos.verdict import judge

KILLS, EVERY = 5, 3.0  # of all web processes; seconds in between
MEMBERS, RATE = 16, 14.0  # acts a second, of all of them
LOST = 0.06  # of the answers to COMMIT

#: Some commits take long: others, with higher keys, are there before them.
SLOW_COMMITS = """
    CREATE FUNCTION chaos_slow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER chaos_slow AFTER INSERT ON bookings_bookingevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id % 5 = 0) EXECUTE FUNCTION chaos_slow()
"""


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
    writer = history.Writer(folder / "history.jsonl")
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
            "nothing": [] if counts.answered > 20 and network.lost else [f"too little: {counts}"],
        },
        time.monotonic() - began,
        f"{counts.answered} acts, {counts.retried} retried, {network.lost} lost answers to COMMIT",
    )


def _play(
    site: Site, scene: Scene, writer: history.Writer, network: Network, url: str
) -> tuple[Crowd, Keyless]:
    crowd = Crowd(site.address, writer, replace(scene, members=scene.members[:-1]), rate=RATE)
    keyless = Keyless(site.address, scene.members[-1], scene.space("free"))
    with site.running():
        crowd.start()
        keyless.start()
        for _ in range(KILLS):
            time.sleep(EVERY)
            site.kill_web()
            site.start_web()
        time.sleep(EVERY)
        keyless.stop()
        network.calm()
        crowd.stop()
        wait_until_told(url)
    return crowd, keyless
