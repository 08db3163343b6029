"""Whether a run kept every promise, judged from its history and the database that is left.

Knows nothing of the application: it reads plain records and plain SQL.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path

from chaos import checker
from chaos.history import read
from chaos.judging import holds, keeping, promises, quotas, reading, tables, telling
from chaos.judging.run import MAKING, Run

#: A copy of what is judged of the database, in a run's folder.
KEPT = "database.sqlite3"


@dataclass(frozen=True)
class Counts:
    """How much was asked, and how it went."""

    acts: int = 0  # what members wanted
    tried: int = 0  # requests, those repeated with the same key included
    answered: int = 0  # acts that were answered in the end
    unanswered: int = 0  # acts that never were
    retried: int = 0  # acts that were asked again, for want of an answer
    refused: int = 0  # acts answered by a refusal
    errors: int = 0  # requests answered by 500 or more, or not at all
    confirmed: int = 0  # bookings that members were told they have
    lost: int = 0  # of those, how many aren't there
    doubled: int = 0  # bookings that share a place and a time, or a request
    events: int = 0  # in the database
    heard: int = 0  # by listeners, repetitions included
    repeated: int = 0  # of those, how many had been heard before


@dataclass(frozen=True)
class Verdict:
    """What is wrong, a sentence each; everything empty is as it should be."""

    counts: Counts = field(default_factory=Counts)
    lost: list[str] = field(default_factory=list)  # acknowledged, but not there or another's
    doubled: list[str] = field(default_factory=list)  # two for one place and time, or one key
    altered: list[str] = field(default_factory=list)  # somewhere else than was last acknowledged
    refused: list[str] = field(default_factory=list)  # refused, but done
    revived: list[str] = field(default_factory=list)  # cancelled, but not free
    undecided: list[str] = field(default_factory=list)  # queued, and never decided
    slots: list[str] = field(default_factory=list)  # rows that aren't what bookings occupy
    exceeded: list[str] = field(default_factory=list)  # quotas
    impossible: list[str] = field(default_factory=list)  # answers that no order of acts explains
    misread: list[str] = field(default_factory=list)  # boards and lists that said something else
    unheard: list[str] = field(default_factory=list)  # events that a listener lacks, or got early
    contradicted: list[str] = field(default_factory=list)  # events that say something else

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Return what is wrong, by kind; kinds in order are left out."""
        lists = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "counts"}
        return {name: found for name, found in lists.items() if found}

    @property
    def is_good(self) -> bool:
        """Nothing is wrong, and somebody got a booking: otherwise there is nothing to judge."""
        return not self.wrong and self.counts.confirmed > 0


def judge(history: Path, database_url: str) -> Verdict:
    """Compare what everybody was told with the database; everybody has to be done.

    Workers must have delivered what there was to deliver: what still waits counts as unheard.
    """
    return judged(Run.of(read(history), tables.read(database_url)))


def keep(database_url: str, folder: Path) -> Path:
    """Copy what is judged into a run's folder: `python -m chaos judge` reads it from there."""
    keeping.keep(database_url, folder / KEPT)
    return folder / KEPT


def judged(run: Run) -> Verdict:
    """Judge a run that has been read."""
    left = run.tables
    had = holds.of(run)
    index = holds.Index(had, left.leaves)
    lost = [*promises.lost(run)]
    doubled = [
        *checker.overlapping(left.bookings, left.leaves),
        *checker.repeated(left.bookings),
        *promises.unasked(run),
        *holds.doubled(run, index),
    ]
    return Verdict(
        counts=_counts(run, lost=len(lost), doubled=len(doubled)),
        lost=lost,
        doubled=doubled,
        altered=[*promises.altered(run)],
        refused=[*promises.refused(run)],
        revived=[*promises.revived(run)],
        undecided=[*promises.undecided(run)],
        slots=[*checker.wrong_slots(left.bookings, left.slots, left.leaves)],
        exceeded=[*quotas.exceeded(run, had)],
        impossible=[*holds.unjustified(run, index)],
        misread=[*reading.misread(run, had)],
        unheard=[*telling.unheard(run)],
        contradicted=[*telling.contradicted(run)],
    )


def _counts(run: Run, *, lost: int, doubled: int) -> Counts:
    tries = [each for act in run.acts for each in act.tries]
    answered = [act for act in run.acts if act.told]
    return Counts(
        acts=len(run.acts),
        tried=len(tries),
        answered=len(answered),
        unanswered=len(run.acts) - len(answered),
        retried=sum(any(each.error for each in act.tries) for act in run.acts),
        refused=sum(act.told in ("REFUSED", "REJECTED") for act in answered),
        errors=sum(not each.is_clear for each in tries),
        confirmed=sum(act.kind in MAKING and act.told in checker.OCCUPYING for act in answered),
        lost=lost,
        doubled=doubled,
        events=sum(map(len, run.tables.events.values())),
        heard=len(run.heard),
        repeated=telling.repeated(run),
    )
