"""What a run came to, for people and for programs: report.html, report.json, report.svg."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chaos.history import read
from chaos.reporting import page, plot
from chaos.reporting.measures import Hit, Second, measure
from chaos.reporting.page import Report
from chaos.verdict import Verdict

#: What a run's folder calls it.
HISTORY = "history.jsonl"
DATA = "report.json"


def write(
    history: Path,
    verdict: Verdict,
    folder: Path,
    about: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
) -> Path:
    """Write the report of a history into a folder; return the page.

    `about` says what was run, and where: the machine, the commit, the size of the cluster.
    `problems` are what else should not have happened, such as what members complain about.
    """
    run = Report(measure(read(history)), verdict, dict(about or {}), list(problems))
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_data(run), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / DATA).write_text(text + "\n", encoding="utf-8")
    picture = plot.drawn(run.measures, is_alone=True)
    (folder / "report.svg").write_text(picture, encoding="utf-8")
    html = folder / "report.html"
    html.write_text(page.written(run), encoding="utf-8")
    return html


def kept(folder: Path) -> dict[str, Any]:
    """Return what the report in a folder says; nothing, if there is none."""
    if not (folder / DATA).is_file():
        return {}
    found: dict[str, Any] = json.loads((folder / DATA).read_text(encoding="utf-8"))
    return found


def as_data(run: Report) -> dict[str, Any]:
    """Return all that the page says, and every sentence and second of it."""
    measures, verdict = run.measures, run.verdict
    return {
        "passed": run.passed,
        "about": run.about,
        "began": measures.began,
        "ended": measures.ended,
        "counts": asdict(verdict.counts),
        "wrong": verdict.wrong,
        "problems": run.problems,
        "availability": {
            "requests": measures.answered / max(1, measures.tried),
            "acts": measures.acts_answered / max(1, measures.acts),
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
