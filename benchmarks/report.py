"""What was measured, as a table and compared with an earlier run."""

from collections.abc import Iterable, Iterator
from typing import Any

HEADINGS = (
    "what",
    "clients",
    "answers/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "web CPU ms",
    "database CPU ms",
    "client CPU ms",
    "statements",
    "kB",
    "errors",
)
RATIOS = ("what", "clients", "answers/s", "p95", "web CPU", "statements")


def head(headings: Iterable[str] = HEADINGS) -> str:
    names = list(headings)
    return f"{line(names)}\n{line(['---', *['---:'] * (len(names) - 1)])}"


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def row(result: dict[str, Any]) -> str:
    """Write one line, and those of its parts where people think between their clicks."""
    errors = ", ".join(f"{count} × {what}" for what, count in result["errors"].items())
    times = [number(result[name]) for name in ("p50", "p95", "p99")]
    costs = [number(result[name]) for name in ("web_ms", "db_ms", "client_ms")]
    rest = [number(result["statements"]), number(result["kb"]), errors or "0"]
    rows = [
        line([named(result), str(result["clients"]), number(result["rate"]), *times, *costs, *rest])
    ]
    if result["pause"]:
        for name, part in result.get("parts", {}).items():
            times = [number(part[each]) for each in ("p50", "p95", "p99")]
            rate = number(part["answers"] / result["seconds"])
            rows.append(line([f"… {name}", "", rate, *times, *[""] * 6]))
    return "\n".join(rows)


def named(result: dict[str, Any]) -> str:
    name: str = result["name"]
    if result["pause"]:
        name += f", a click every {result['pause']} s"
    if not_modified := result["statuses"].get("304"):
        name += f" ({not_modified} of {result['answers']})"
    elif result["name"].endswith("304"):
        name += " (answered in full)"
    return name


def number(value: float | None) -> str:
    """Write three digits or so."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def rows(found: list[dict[str, Any]], results: list[dict[str, Any]]) -> Iterator[str]:
    """Write what the database alone does, and which part of it the site reaches."""
    yield "The database alone, writing the rows of a booking (pgbench):\n"
    yield head(("clients", "bookings/s", "database CPU ms", "pgbench CPU ms", "the site ÷ this"))
    booked = {
        each["clients"]: each["rate"]
        for each in results
        if each["name"] == "booking: won" and not each["pause"]
    }
    for each in found:
        ratio = booked.get(each["clients"])
        cells = [number(each[name]) for name in ("rate", "db_ms", "client_ms")]
        share = f"{ratio / each['rate']:.3f}" if ratio else "–"
        yield line([str(each["clients"]), *cells, share])


def compared(now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """Write how many times faster, and which part of the time and the cost remains."""
    then = before["machine"]
    yield f"Compared with Mesto {then['commit']} (load average {then['load'][0]} then):\n"
    yield head(RATIOS)
    earlier = {key(each): each for each in before["lines"]}
    for result in now["lines"]:
        old = earlier.get(key(result))
        if old is None:
            continue
        ratios = [
            times(result["rate"], old["rate"]),
            times(result["p95"], old["p95"]),
            times(result["web_ms"], old["web_ms"]),
        ]
        statements = f"{number(old['statements'])} → {number(result['statements'])}"
        yield line([named(result), str(result["clients"]), *ratios, statements])


def key(result: dict[str, Any]) -> tuple[str, int, float]:
    return result["name"], result["clients"], result["pause"]


def times(now: float | None, before: float | None) -> str:
    return f"× {now / before:.2g}" if now is not None and before else "–"
