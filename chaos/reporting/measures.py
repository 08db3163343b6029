"""What a run measured: how much was answered in each second, and for how long nothing was.

A try is answered if its status is below 500: a refusal is an answer, a lost connection isn't.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, floor, inf

from chaos.history import Act, Fault, Heard, Try
from chaos.reporting.limits import Limit, limit_of

WRITING = frozenset({"book", "queue", "amend", "cancel"})


@dataclass(frozen=True)
class Second:
    """What was sent within one second of the run."""

    at: int  # since the beginning of the run
    tried: int = 0
    answered: int = 0
    acts: int = 0  # begun
    acts_answered: int = 0  # in the end
    p50: float | None = None  # seconds until a try was answered
    p99: float | None = None

    @property
    def share(self) -> float | None:
        """Return the share of tries that were answered; None if nothing was tried."""
        return self.answered / self.tried if self.tried else None


@dataclass(frozen=True)
class Hit:
    """One fault, and what members noticed of it."""

    fault: Fault
    write_gap: float  # seconds; see `gap`
    read_gap: float
    tried: int  # within it
    failed: int
    unanswered: int  # acts that never got an answer, whatever they tried
    limit: Limit

    @property
    def broken(self) -> list[str]:
        """Return which of the limits were not kept."""
        found = []
        if self.limit.gap is not None and self.write_gap > self.limit.gap:
            found.append(f"no write for {self.write_gap:.1f} s")
        if self.limit.unanswered is not None and self.unanswered > self.limit.unanswered:
            found.append(f"{self.unanswered} unanswered")
        return found


@dataclass(frozen=True)
class Measures:
    """Everything that is measured."""

    began: float
    ended: float
    seconds: list[Second]
    hits: list[Hit]
    tried: int
    answered: int
    acts: int
    acts_answered: int
    without_writes: float  # seconds, of the whole run
    without_reads: float
    p50: float | None  # of tries
    p99: float | None
    waited_p50: float | None  # of acts, from the first try to the answer
    waited_p99: float | None
    waited_most: float | None

    @property
    def duration(self) -> float:
        return self.ended - self.began

    @property
    def is_within_limits(self) -> bool:
        return not any(hit.broken for hit in self.hits)


def measure(lines: Iterable[Act | Heard | Fault]) -> Measures:
    """Measure a history."""
    acts: list[Act] = []
    faults: list[Fault] = []
    for line in lines:
        if isinstance(line, Fault):
            faults.append(line)
        elif isinstance(line, Act) and line.tries:
            acts.append(line)
    tries = sorted((each for act in acts for each in act.tries), key=lambda each: each.at)
    began = min([*(each.at for each in tries[:1]), *(fault.began for fault in faults)], default=0.0)
    ends = [*(each.ended for each in tries), *(fault.recovered for fault in faults)]
    ended = max(ends, default=0.0)
    writes, reads = (stretches(each, ended) for each in parted(acts))
    hits = [_hit(fault, acts, tries, writes, reads) for fault in faults]
    waits = [act.ended - act.began for act in acts if act.told]
    took = [each.took for each in tries if is_answered(each)]
    return Measures(
        began=began,
        ended=ended,
        seconds=by_second(acts, tries, began, ended),
        hits=sorted(hits, key=lambda hit: hit.fault.began),
        tried=len(tries),
        answered=len(took),
        acts=len(acts),
        acts_answered=len(waits),
        without_writes=outage(writes),
        without_reads=outage(reads),
        p50=quantile(took, 0.5),
        p99=quantile(took, 0.99),
        waited_p50=quantile(waits, 0.5),
        waited_p99=quantile(waits, 0.99),
        waited_most=max(waits, default=None),
    )


def is_answered(each: Try) -> bool:
    return 0 < each.status < 500


def parted(acts: Iterable[Act]) -> tuple[list[Try], list[Try]]:
    """Return the tries that write, and those that read.

    Whoever queued a request looks at it again until it is decided: that only reads.
    """
    writes: list[Try] = []
    reads: list[Try] = []
    for act in acts:
        if act.kind not in WRITING:
            reads += act.tries
        elif act.kind == "queue":
            answered = [n for n, each in enumerate(act.tries) if is_answered(each)]
            first = answered[0] + 1 if answered else len(act.tries)
            writes += act.tries[:first]
            reads += act.tries[first:]
        else:
            writes += act.tries
    return writes, reads


#: When nothing succeeded although somebody waited for it.
Stretch = tuple[float, float]

#: A pause between two answers that is shorter than that is no outage, in seconds.
SHORT = 1.0


def stretches(tries: Iterable[Try], ended: float) -> list[Stretch]:
    """Return every stretch without a success, however short, within a run that ended then.

    It begins with the last success, or later with the first try that was open after it; it ends
    with the next success, or with the run. Being told to come back later (429) is no success.
    """
    ordered = sorted(tries, key=lambda each: each.at)
    successes = sorted(each.ended for each in ordered if is_answered(each) and each.status != 429)
    sent = [each.at for each in ordered]
    open_until = [-inf, *accumulate((each.ended for each in ordered), max)]
    found = []
    for before, after in pairwise([-inf, *successes, ended]):
        sent_before = bisect_right(sent, before)
        if open_until[sent_before] > before:
            found.append((before, after))
        elif sent_before < len(sent) and sent[sent_before] < after:
            found.append((sent[sent_before], after))
    return found


def outage(without: Iterable[Stretch]) -> float:
    """Return for how many seconds nothing succeeded, in stretches that people notice."""
    return sum(end - start for start, end in without if end - start > SHORT)


def gap(fault: Fault, without: Iterable[Stretch]) -> float:
    """Return the longest stretch without a success that a fault can have caused.

    It is one that was there while the fault was; counted from the fault on, and until the next
    success, be it after the recovery.
    """
    over = max(fault.recovered, fault.ended)
    return max(
        (
            end - max(start, fault.began)
            for start, end in without
            if start <= over and end > fault.began
        ),
        default=0.0,
    )


def _hit(
    fault: Fault,
    acts: Sequence[Act],
    tries: Sequence[Try],
    writes: Sequence[Stretch],
    reads: Sequence[Stretch],
) -> Hit:
    until = max(fault.recovered, fault.ended)
    sent = [each for each in tries if fault.began <= each.at <= until]
    return Hit(
        fault=fault,
        write_gap=gap(fault, writes),
        read_gap=gap(fault, reads),
        tried=len(sent),
        failed=sum(not is_answered(each) for each in sent),
        unanswered=sum(
            not act.told and act.began <= until and _last(act) >= fault.began for act in acts
        ),
        limit=limit_of(fault),
    )


def _last(act: Act) -> float:
    return max(each.ended for each in act.tries)


def by_second(
    acts: Sequence[Act], tries: Sequence[Try], began: float, ended: float
) -> list[Second]:
    """Return every second of the run, by when things were sent."""
    count = max(ceil(ended - began), floor(tries[-1].at - began) + 1) if tries else 0
    sent: list[list[Try]] = [[] for _ in range(count)]
    for each in tries:
        sent[floor(each.at - began)].append(each)
    begun: list[list[Act]] = [[] for _ in range(count)]
    for act in acts:
        begun[floor(act.began - began)].append(act)
    found = []
    for at in range(count):
        took = [each.took for each in sent[at] if is_answered(each)]
        found.append(
            Second(
                at,
                len(sent[at]),
                len(took),
                len(begun[at]),
                sum(bool(act.told) for act in begun[at]),
                quantile(took, 0.5),
                quantile(took, 0.99),
            )
        )
    return found


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that so many are not above; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
