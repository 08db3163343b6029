"""Tables as CSV files that a spreadsheet opens without running anything that people typed.

UTF-8 with a byte order mark: Excel takes a file without one for the machine's old encoding, and
everything else skips it. Commas and CRLF, as RFC 4180 has them.
"""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from accounts.letters import is_visible

#: A cell that begins so is a formula to one spreadsheet or another.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

type Cell = str | int | float | None


def written(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a file's bytes; a number stays one, an empty cell is nothing."""
    out = StringIO()
    csv.writer(out).writerows([defused(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def undefused(text: str) -> str:
    """Return what `defused` was given, from a file that came back."""
    inside = text.removeprefix("'")
    return inside if defused(inside) == text else text


def defused(cell: Cell) -> Cell:
    """Put an apostrophe before text that would be a formula; also after what nobody sees."""
    if isinstance(cell, str):
        seen = next((letter for letter in cell if is_visible(letter)), "")
        if cell.lstrip(" \u00a0").startswith(FORMULAS) or seen in FORMULAS:
            return f"'{cell}"
    return cell
