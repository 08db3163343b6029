"""Writes the report as one HTML page that needs nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from chaos.reporting import plot
from chaos.reporting.measures import Hit, Measures
from chaos.reporting.words import TERMS, WRONG, clock, meaning, moment, percent, seconds
from chaos.verdict import Verdict

MOST, FEW = 100, 10  # sentences of one kind that are there, and that need no click
STYLES = [plot.COLOURS, Path(__file__).with_name("page.css")]
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
"""


@dataclass(frozen=True)
class Report:
    """Everything that is told of a run."""

    measures: Measures
    verdict: Verdict
    about: dict[str, str]  # what was run, and where
    problems: list[str]  # what else should not have happened

    @property
    def passed(self) -> bool:
        return self.verdict.is_good and self.measures.is_within_limits and not self.problems


def written(run: Report) -> str:
    """Return the page."""
    measures, verdict = run.measures, run.verdict
    title = _title(measures, verdict)
    styles = "".join(style.read_text() for style in STYLES)
    parts = [
        HEAD,
        f"<title>{escape(title)}</title>\n<style>\n{styles}</style>",
        "</head>\n<body>\n<main>",
        _header(title, run),
        _figures(measures, verdict),
        *_wrong(run),
        *_availability(measures),
        *_faults(measures.hits),
        _terms(),
        _about(run.about),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _title(measures: Measures, verdict: Verdict) -> str:
    counts = verdict.counts
    faults = _many(len(measures.hits), "fault", "faults")
    return f"{counts.lost:,} lost, {counts.doubled:,} doubled, in {faults}"


def _header(title: str, run: Report) -> str:
    began, ended = moment(run.measures.began), clock(run.measures.ended)
    return (
        f'<p class="quiet small">Mesto · chaos · {began}–{ended[:5]} UTC</p>\n'
        f"<h1>{escape(title)}</h1>\n<p>{_chip(run.passed, 'Passed', 'Failed')} "
        f'<span class="quiet">{escape(_reason(run))}</span></p>'
    )


def _reason(run: Report) -> str:
    if run.verdict.wrong:
        count = sum(map(len, run.verdict.wrong.values()))
        return f"{_many(count, 'promise was', 'promises were')} broken, as listed below."
    if not run.verdict.is_good:
        return "Nobody got a booking, so there is nothing to judge."
    if run.problems:
        found = _many(len(run.problems), "complaint is", "complaints are")
        return f"Every promise was kept, but {found} listed below."
    if late := [hit for hit in run.measures.hits if hit.broken]:
        found = _many(len(late), "fault was", "faults were")
        return f"Every promise was kept, but {found} noticed more than allowed."
    return "Every promise was kept, and no fault was noticed more than allowed."


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _chip(is_good: bool, good: str, bad: str) -> str:
    tone, word = ("good", good) if is_good else ("bad", bad)
    return f'<span class="chip {tone}">{escape(word)}</span>'


def _figures(measures: Measures, verdict: Verdict) -> str:
    counts = verdict.counts
    figures = [
        ("Lost", f"{counts.lost:,}", f"of {counts.confirmed:,} booked", _tone(counts.lost)),
        ("Doubled", f"{counts.doubled:,}", "places or requests", _tone(counts.doubled)),
        ("Wanted", f"{counts.acts:,}", f"{counts.refused:,} of them refused", ""),
        ("Answered", f"{counts.answered:,}", f"{counts.unanswered:,} never", ""),
        ("Requests", f"{counts.tried:,}", f"{counts.errors:,} without an answer", ""),
        ("Retried", f"{counts.retried:,}", "with the same key", ""),
        ("Median wait", seconds(measures.waited_p50), f"99th: {seconds(measures.waited_p99)}", ""),
        (
            "Events",
            f"{counts.events:,}",
            f"heard {counts.heard:,} times, {counts.repeated:,} again",
            "",
        ),
    ]
    boxes = [
        f'<div class="{tone}"><dt>{name}</dt><dd>{value}<small>{more}</small></dd></div>'
        for name, value, more, tone in figures
    ]
    return f'<dl class="figures">{"".join(boxes)}</dl>'


def _tone(count: int) -> str:
    return "bad" if count else "good"


def _wrong(run: Report) -> Iterator[str]:
    found = {WRONG.get(name, name): said for name, said in run.verdict.wrong.items()}
    if run.problems:
        found["What members and listeners complain about"] = run.problems
    if found:
        yield "<h2>What is wrong</h2>"
    for label, sentences in found.items():
        listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences[:MOST])
        if len(sentences) > MOST:
            listed += f"<li>and {len(sentences) - MOST:,} more, in report.json</li>"
        is_open = " open" if len(sentences) <= FEW else ""
        yield f'<details class="wrong"{is_open}><summary>{escape(label)}: {len(sentences):,}'
        yield f'</summary><ul class="found">{listed}</ul></details>'


def _availability(measures: Measures) -> Iterator[str]:
    requests = measures.answered / measures.tried if measures.tried else 0
    acts = measures.acts_answered / measures.acts if measures.acts else 0
    yield "<h2>Availability</h2>"
    yield (
        f"<p>{percent(requests)} of requests were answered; of what members wanted, "
        f"{percent(acts)} was answered in the end. An answer took {seconds(measures.p50)} in the "
        f"median, and {seconds(measures.p99)} at the 99th percentile. With all that had to be "
        f"asked again, the longest wait was {seconds(measures.waited_most)}.</p>"
    )
    for sentence in meaning(measures):
        yield f"<p>{escape(sentence)}</p>"
    yield '<div class="card scroll" tabindex="0" role="region" aria-label="Plot of the run">'
    yield plot.drawn(measures)
    yield "</div>"
    yield (
        '<p class="quiet small">Grey bands are faults, by their number in the list below. Red is '
        "what wasn't answered. Nothing is drawn where nothing was sent.</p>"
    )


COLUMNS = (
    "Nobody could book for",
    "Nobody could read for",
    "Requests failed",
    "Without an answer",
)


def _faults(hits: Sequence[Hit]) -> Iterator[str]:
    yield "<h2>Faults</h2>"
    if not hits:
        yield "<p>Nothing was broken.</p>"
        return
    kinds = list(dict.fromkeys(hit.fault.kind for hit in hits))
    rows = [_kind_row(kind, [hit for hit in hits if hit.fault.kind == kind]) for kind in kinds]
    heads = ("Kind", "Times", *COLUMNS, "Allowed", "Kept")
    yield _table("The worst of each kind", heads, rows, is_open=True)
    every = ("Fault", "Node", "At", "Lasted", *COLUMNS, "Kept")
    yield f"<details><summary>All {len(hits):,}, in order</summary>"
    yield _table("", every, [_row(n, hit) for n, hit in enumerate(hits, 1)], is_open=False)
    yield "</details>"


Cell = tuple[str, str]  # what it says, and its class


def _kind_row(kind: str, hits: Sequence[Hit]) -> list[Cell]:
    limit = hits[0].limit
    kept = not any(hit.broken for hit in hits)
    allowed = [f"{limit.gap:g} s"] if limit.gap is not None else []
    allowed += [f"{limit.unanswered} unanswered"] if limit.unanswered is not None else []
    return [
        (escape(kind), "text"),
        (f"{len(hits):,}", ""),
        *_noticed(
            max(hit.write_gap for hit in hits),
            max(hit.read_gap for hit in hits),
            sum(hit.failed for hit in hits),
            sum(hit.tried for hit in hits),
            sum(hit.unanswered for hit in hits),
            hits,
        ),
        (escape(" · ".join(allowed) or "only measured"), ""),
        (_chip(kept, "yes", "no"), ""),
    ]


def _row(number: int, hit: Hit) -> list[Cell]:
    fault = hit.fault
    lasted = max(fault.ended, fault.recovered) - fault.began
    note = f"<br><span class='quiet'>{escape(fault.text)}</span>" if fault.text else ""
    return [
        (f"{number}: {escape(fault.kind)}{note}", "text"),
        (escape(fault.target), ""),
        (clock(fault.began), ""),
        (seconds(lasted), ""),
        *_noticed(hit.write_gap, hit.read_gap, hit.failed, hit.tried, hit.unanswered, [hit]),
        (_chip(not hit.broken, "yes", "no"), ""),
    ]


def _noticed(
    write_gap: float,
    read_gap: float,
    failed: int,
    tried: int,
    unanswered: int,
    hits: Iterable[Hit],
) -> list[Cell]:
    limit = next(iter(hits)).limit
    is_long = limit.gap is not None and write_gap > limit.gap
    is_left = limit.unanswered is not None and unanswered > limit.unanswered
    return [
        (seconds(write_gap), "bad" if is_long else ""),
        (seconds(read_gap), ""),
        (f"{failed:,} of {tried:,}", ""),
        (f"{unanswered:,}", "bad" if is_left else ""),
    ]


def _table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, is_open: bool
) -> str:
    """Return a table; on a phone, each of its rows is a list."""
    body = []
    for (first, name), *others in rows:
        cells = "".join(
            f'<td class="{tone}" data-label="{escape(label)}">{words}</td>'
            for (words, tone), label in zip(others, heads[1:], strict=True)
        )
        body.append(f'<tr><th scope="row" class="{name}">{first}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in heads)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    frame = "card scroll" if is_open else "scroll"
    table = f'<table class="rows">{said}<thead><tr>{head}</tr></thead><tbody>'
    return f'<div class="{frame}">{table}{"".join(body)}</tbody></table></div>'


def _terms() -> str:
    said = "".join(
        f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in TERMS.items()
    )
    return (
        "<h2>How it is measured</h2>"
        f'<dl class="terms">{said}</dl>'
        '<p class="small quiet">What is judged, and how, is in docs/reliability.md.</p>'
    )


def _about(about: Mapping[str, str]) -> str:
    if not about:
        return ""
    said = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in about.items())
    return f'<h2>What was run</h2><dl class="about">{said}</dl>'
