"""What a run came to, for people and for programs: report.html, report.json, report.svg."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chaos.history import read
from chaos.reporting import page, plot
from chaos.reporting.measures import Hit, Measures, Second, measure
from chaos.verdict import Verdict

#: What a run's folder calls it.
HISTORY = "history.jsonl"


def write(
    history: Path, verdict: Verdict, folder: Path, about: Mapping[str, str] | None = None
) -> Path:
    """Write the report of a history into a folder; return the page.

    `about` says what was run, and where: the machine, the commit, the size of the cluster.
    """
    measures = measure(read(history))
    folder.mkdir(parents=True, exist_ok=True)
    data = as_data(measures, verdict, about or {})
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.svg").write_text(plot.drawn(measures, is_alone=True), encoding="utf-8")
    html = folder / "report.html"
    html.write_text(page.written(measures, verdict, about or {}), encoding="utf-8")
    return html


def passed(folder: Path) -> bool:
    """Tell whether every promise and every limit was kept, by the report in a folder."""
    found: bool = json.loads((folder / "report.json").read_text(encoding="utf-8"))["passed"]
    return found


def as_data(measures: Measures, verdict: Verdict, about: Mapping[str, str]) -> dict[str, Any]:
    """Return all that the page says, and every sentence and second of it."""
    tried, acts = max(1, measures.tried), max(1, measures.acts)
    return {
        "passed": verdict.is_good and measures.is_within_limits,
        "about": dict(about),
        "began": measures.began,
        "ended": measures.ended,
        "counts": asdict(verdict.counts),
        "wrong": verdict.wrong,
        "availability": {
            "requests": measures.answered / tried,
            "acts": measures.acts_answered / acts,
            "seconds_without_writes": measures.without_writes,
            "seconds_without_reads": measures.without_reads,
        },
        "took": {"p50": measures.p50, "p99": measures.p99},
        "waited": {
            "p50": measures.waited_p50,
            "p99": measures.waited_p99,
            "most": measures.waited_most,
        },
        "faults": [_fault(hit) for hit in measures.hits],
        "seconds": [_second(each) for each in measures.seconds],
    }


def _fault(hit: Hit) -> dict[str, Any]:
    return {**asdict(hit.fault), **asdict(hit), "fault": hit.fault.kind, "broken": hit.broken}


def _second(second: Second) -> dict[str, Any]:
    return {**asdict(second), "share": second.share}
