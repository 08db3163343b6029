"""Draws a run as SVG: what a request costs, and how many are answered in a second."""

from html import escape
from typing import Any

WIDTH, ROW, LEFT, GAP, HEAD = 900, 26, 190, 40, 70
PANEL = (WIDTH - LEFT - GAP - 60) / 2
COSTS = [
    ("web_ms", "web", "#2563eb"),
    ("db_ms", "database", "#f59e0b"),
    ("client_ms", "clients", "#9ca3af"),
]
FAR = "healthz"
RATE, EARLIER = "#059669", "#d1d5db"


def drawn(run: dict[str, Any], before: dict[str, Any] | None = None) -> str:
    """Return the picture of the lines without a pause, in front of an earlier run in grey."""
    one, many = of_clients(run, min), of_clients(run, max)
    old_one, old_many = (of_clients(before, pick) if before else {} for pick in (min, max))
    names = list(one)
    height = HEAD + ROW * len(names) + 30
    clients = max((each["clients"] for each in many.values()), default=1)
    most_cost = max([cost(each) for each in (*one.values(), *old_one.values())], default=1) or 1
    # A health check is far above everything else; its bar just ends at the edge.
    rates = [each["rate"] for each in (*many.values(), *old_many.values()) if each["name"] != FAR]
    most_rate = max(rates, default=1) or 1
    second = LEFT + PANEL + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(10, 22, f"Mesto {run['machine']['commit']}, {run['machine']['web']}", size=15),
        text(LEFT, 46, "CPU a request, ms, one client"),
        text(second, 46, f"answers a second, {clients} clients"),
    ]
    for n, (_, label, colour) in enumerate(COSTS):
        x = LEFT + n * 80
        parts += [bar(x, 53, 9, 9, colour), text(x + 13, 62, label)]
    if before:
        parts += [
            bar(second, 53, 9, 9, EARLIER),
            text(second + 13, 62, before["machine"]["commit"]),
        ]
    for n, name in enumerate(names):
        y = HEAD + ROW * n
        parts.append(text(LEFT - 8, y + 15, name, anchor="end"))
        if name in old_one:
            parts.append(bar(LEFT, y, PANEL * cost(old_one[name]) / most_cost, ROW - 4, EARLIER))
        x: float = LEFT
        for key, _, colour in COSTS:
            length = PANEL * (one[name][key] or 0) / most_cost
            parts.append(bar(x, y + 5, length, ROW - 14, colour))
            x += length
        parts.append(text(x + 4, y + 15, f"{cost(one[name]):.1f}"))
        if name in old_many:
            parts.append(
                bar(second, y, PANEL * min(old_many[name]["rate"] / most_rate, 1), ROW - 4, EARLIER)
            )
        if name in many:
            length = PANEL * min(many[name]["rate"] / most_rate, 1)
            parts += [bar(second, y + 5, length, ROW - 14, RATE)]
            parts += [text(second + length + 4, y + 15, f"{many[name]['rate']:.0f}")]
    return "\n".join([*parts, "</svg>", ""])


def of_clients(run: dict[str, Any], pick: Any) -> dict[str, dict[str, Any]]:
    """Return the lines without a pause, of the fewest or of the most clients."""
    lines = [each for each in run["lines"] if not each["pause"]]
    wanted = pick((each["clients"] for each in lines), default=0)
    return {each["name"]: each for each in lines if each["clients"] == wanted}


def cost(result: dict[str, Any]) -> float:
    return sum(result[key] or 0 for key, _, _ in COSTS)


def bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    how = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {how}>{escape(words)}</text>"
