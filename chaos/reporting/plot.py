"""Draws a run as SVG: how much was answered, how many were sent, and how long answers took."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import batched
from math import ceil, log10
from pathlib import Path
from statistics import median

from chaos.reporting.measures import Measures, Second

WIDTH, LEFT, RIGHT = 1000, 56, 16
INNER = WIDTH - LEFT - RIGHT
COLUMNS = 460  # at most so many: two pixels each
#: Where each panel begins, and how high it is.
HEAD, PANEL, BETWEEN = 40, 112, 44
SHARE, RATE, TOOK = (HEAD + 24 + n * (PANEL + BETWEEN) for n in range(3))
HEIGHT = TOOK + PANEL + 34
#: The times that are drawn, in seconds: each step is ten times the last.
SHORTEST, LONGEST = 0.001, 100.0
TICKS = (5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
COLOURS = Path(__file__).with_name("colours.css")


@dataclass(frozen=True)
class Column:
    """Some seconds of a run that are drawn as one."""

    at: int
    worst: float | None
    tried: float  # a second
    answered: float
    p50: float | None
    p99: float | None


def drawn(measures: Measures, *, is_alone: bool = False) -> str:
    """Return the picture; a file of its own brings its colours with it."""
    step = column_seconds(measures)
    columns = [_column(some) for some in batched(measures.seconds, step)]
    scale = INNER / max(1, len(columns) * step)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" class="plot" '
        'role="img" aria-labelledby="plot-title plot-text">',
        '<title id="plot-title">Availability of the run, second by second</title>',
        f'<desc id="plot-text">{escape(_described(measures))}</desc>',
    ]
    if is_alone:
        parts += [
            f"<style>{COLOURS.read_text()}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        ]
    parts += [
        *_bands(measures, scale),
        *_shares(columns, scale, step),
        *_rates(columns, scale, step),
        *_times(columns, scale),
        *_clock(measures, scale),
        "</svg>",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def column_seconds(measures: Measures) -> int:
    """Return how many seconds one column shows."""
    return max(1, ceil(len(measures.seconds) / COLUMNS))


def _described(measures: Measures) -> str:
    share = measures.answered / measures.tried if measures.tried else 0
    return (
        f"{measures.duration:.0f} seconds with {len(measures.hits)} faults; "
        f"{share:.2%} of {measures.tried} requests were answered."
    )


def _column(some: Sequence[Second]) -> Column:
    shares = [each.share for each in some if each.share is not None]
    middle = [each.p50 for each in some if each.p50 is not None]
    slow = [each.p99 for each in some if each.p99 is not None]
    return Column(
        some[0].at,
        min(shares, default=None),
        sum(each.tried for each in some) / len(some),
        sum(each.answered for each in some) / len(some),
        median(middle) if middle else None,
        max(slow, default=None),
    )


def _bands(measures: Measures, scale: float) -> Iterator[str]:
    """Shade when faults were there, each with its number."""
    for number, hit in enumerate(measures.hits, 1):
        start = LEFT + (hit.fault.began - measures.began) * scale
        end = LEFT + (max(hit.fault.ended, hit.fault.recovered) - measures.began) * scale
        width = max(2.0, end - start)
        name = escape(f"{number}: {hit.fault.kind} {hit.fault.target}")
        yield "<g>"
        yield f"<title>{name}</title>"
        for top in (SHARE, RATE, TOOK):
            yield _rect("band", start, top, width, PANEL)
            yield _rect("edge", start, top, 1.5, PANEL)
        # In two rows, where there are many.
        y = HEAD - 10 if number % 2 or len(measures.hits) < 25 else HEAD - 24
        yield _text(start, y, str(number), "number bad" if hit.broken else "number")
        yield "</g>"


def _shares(columns: Sequence[Column], scale: float, step: int) -> Iterator[str]:
    worst = "" if step == 1 else f", the worst of each {step} seconds"
    yield _text(LEFT, SHARE - 8, f"Requests answered, %{worst}", "heading")
    yield from _levels(SHARE, [(0, "0"), (0.5, "50"), (1, "100")])
    for column in columns:
        if column.worst is None:
            continue
        x, width = LEFT + column.at * scale, step * scale
        good = PANEL * column.worst
        yield _rect("answered", x, SHARE + PANEL - good, width, good)
        yield _rect("failed", x, SHARE, width, PANEL - good)


def _rates(columns: Sequence[Column], scale: float, step: int) -> Iterator[str]:
    most = _round_up(max([column.tried for column in columns], default=1))
    yield _text(LEFT, RATE - 8, "Requests a second, answered and failed", "heading")
    yield from _levels(RATE, [(0, "0"), (0.5, f"{most / 2:g}"), (1, f"{most:g}")])
    for column in columns:
        x, width = LEFT + column.at * scale, step * scale
        good = PANEL * column.answered / most
        bad = PANEL * (column.tried - column.answered) / most
        yield _rect("answered", x, RATE + PANEL - good, width, good)
        yield _rect("failed", x, RATE + PANEL - good - bad, width, bad)


def _times(columns: Sequence[Column], scale: float) -> Iterator[str]:
    words = "Seconds until an answer: the median and, dashed, the 99th percentile"
    yield _text(LEFT, TOOK - 8, words, "heading")
    levels = [(n / 5, f"{10**n * SHORTEST:g}") for n in range(6)]
    yield from _levels(TOOK, levels)
    for name in ("p50", "p99"):
        lines: list[list[str]] = [[]]
        for column in columns:
            value = getattr(column, name)
            if value is None:
                lines.append([])
                continue
            x, y = LEFT + (column.at + 0.5) * scale, TOOK + PANEL * (1 - _height(value))
            lines[-1].append(f"{x:.1f},{y:.1f}")
        for points in filter(None, lines):
            # One point alone is a dot: the round end of a line to itself.
            both = points if len(points) > 1 else points * 2
            yield f'<polyline class="{name}" points="{" ".join(both)}"/>'


def _height(seconds: float) -> float:
    """Return how high a time is drawn, from 0 to 1."""
    within = min(max(seconds, SHORTEST), LONGEST)
    return log10(within / SHORTEST) / log10(LONGEST / SHORTEST)


def _clock(measures: Measures, scale: float) -> Iterator[str]:
    length = len(measures.seconds)
    step = next((tick for tick in TICKS if length / tick <= 12), TICKS[-1])
    for at in range(0, length + 1, step):
        x, y = LEFT + at * scale, TOOK + PANEL
        yield f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>'
        yield _text(x, y + 20, f"{at // 60}:{at % 60:02}", "label", "middle")


def _levels(top: int, levels: Sequence[tuple[float, str]]) -> Iterator[str]:
    for share, label in levels:
        y = top + PANEL * (1 - share)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 8, y + 4, label, "label", "end")


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50 …"""
    size = 10 ** int(log10(max(value, 1)))
    return next(float(n * size) for n in (1, 2, 5, 10) if n * size >= value)


def _rect(name: str, x: float, y: float, width: float, height: float) -> str:
    if height <= 0:
        return ""
    size = f'width="{width:.2f}" height="{height:.2f}"'
    return f'<rect class="{name}" x="{x:.2f}" y="{y:.2f}" {size}/>'


def _text(x: float, y: float, words: str, name: str, anchor: str = "start") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{name}" {where}>{escape(words)}</text>'
