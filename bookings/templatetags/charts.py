"""Charts as SVG: words beside every colour, sizes as attributes, colours in `charts.css`.

For whoever doesn't see them each is one picture with a title and a sentence; the table beneath
says the same.
"""

from collections.abc import Sequence
from datetime import date
from html import escape
from math import ceil, log10
from textwrap import wrap

from django import template
from django.utils import formats
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from bookings.finding.numbers import Cell, Numbers
from bookings.finding.tables import HOUR, Value
from bookings.words import words

register = template.Library()

#: The sizes of drawings, in their own units: a narrow one fits a phone at its full size.
NARROW, WIDE = 360, 720
FEW = 10  # columns that fit a narrow drawing
LETTERS = 48  # of a label, in a line of a narrow drawing


@register.filter
def share(value: float | None) -> str:
    """Write a part of a whole: «25%»; a dash when there is no whole."""
    if value is None:
        return "–"
    return pgettext("a part", "%(n)s%%") % {"n": formats.number_format(round(100 * value))}


@register.filter
def cell_value(value: Value) -> str:
    """Write a value of a table as people do."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else formats.number_format(value, use_l10n=True)


@register.filter
def hours_of(cell: Cell) -> str:
    """Write «12.5 of 30 h»."""
    booked, opened = (_number(time / HOUR) for time in (cell.booked, cell.open))
    return _("%(booked)s of %(open)s h") % {"booked": booked, "open": opened}


def _number(value: float) -> str:
    rounded = round(value, 1)
    return formats.number_format(int(rounded) if rounded == int(rounded) else rounded)


def _picture(
    name: str, title: str, about: str, size: tuple[int, int], drawn: Sequence[str]
) -> SafeString:
    width, height = size
    kind = "narrow" if width == NARROW else "wide"
    return mark_safe(  # noqa: S308 - escaped piece by piece
        f'<svg class="chart {kind}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{name}-title {name}-about">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-about">{escape(about)}</desc>{"".join(drawn)}</svg>'
    )


# --- Heat map -------------------------------------------------------------------------------------

LABELS, ROW, HEAD = 44, 26, 22  # the width of the hours; the heights of a row and of the weekdays


@register.simple_tag
def heat_map(found: Numbers, title: str) -> SafeString:
    """Draw how full each hour of each weekday is: darker is fuller, and each says how full."""
    column = (NARROW - LABELS) / 7
    drawn = [
        f'<text class="label" x="{LABELS + (n + 0.5) * column:.1f}" y="15" '
        f'text-anchor="middle">{escape(str(name))}</text>'
        for n, name in enumerate(words.WEEKDAYS)
    ]
    for row, hour in enumerate(found.hours):
        y = HEAD + row * ROW
        drawn.append(
            f'<text class="label" x="{LABELS - 6}" y="{y + 17}" text-anchor="end">{hour}:00</text>'
        )
        for weekday in range(7):
            cell = found.cells.get((weekday, hour))
            drawn.append(_cell(cell, weekday, hour, LABELS + weekday * column, y, column))
    return _picture("hours", title, _busiest(found), (NARROW, HEAD + ROW * len(found.hours)), drawn)


def _cell(cell: Cell | None, weekday: int, hour: int, x: float, y: float, width: float) -> str:
    middle = f'x="{x + width / 2:.1f}" y="{y + 17}" text-anchor="middle"'
    if cell is None:
        return f'<text class="label" {middle}>–</text>'
    full = cell.share
    step = 4 if full is None else min(4, ceil(4 * full))
    said = "+" if full is None else share(full)
    about = f"{words.WEEKDAYS[weekday]} {hour}:00: {hours_of(cell)}"
    return (
        f'<g class="heat step-{step}"><title>{escape(about)}</title>'
        f'<rect x="{x + 1:.1f}" y="{y + 1}" width="{width - 2:.1f}" height="{ROW - 2}" rx="3"/>'
        f"<text {middle}>{escape(said)}</text></g>"
    )


@register.simple_tag
def hours_table(found: Numbers) -> SafeString:
    """Write what the heat map shows as a table, with the hours behind each part."""
    names = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in words.WEEKDAYS)
    rows = []
    for hour in found.hours:
        cells = (found.cells.get((weekday, hour)) for weekday in range(7))
        written = "".join(f"<td>{escape(_of_cell(cell))}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{hour}:00</th>{written}</tr>')
    head = f'<thead><tr><th scope="col">{escape(_("Hour"))}</th>{names}</tr></thead>'
    table = f'<table class="table">{head}<tbody>{"".join(rows)}</tbody></table>'
    return mark_safe(table)  # noqa: S308 - escaped piece by piece


def _of_cell(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    return hours_of(cell) if cell.share is None else f"{share(cell.share)} ({hours_of(cell)})"


def _busiest(found: Numbers) -> str:
    shares = {key: cell.share for key, cell in found.cells.items() if cell.share}
    if not shares:
        return _("Nothing is booked in these days.")
    weekday, hour = max(shares, key=lambda key: (shares[key] or 0, -key[0], -key[1]))
    return _("Fullest: %(weekday)s %(hour)s, %(share)s.") % {
        "weekday": words.WEEKDAYS[weekday],
        "hour": f"{hour}:00",
        "share": share(shares[weekday, hour]),
    }


# --- Columns, a day each --------------------------------------------------------------------------

HEIGHT, FOOT, TOP = 180, 22, 20


@register.simple_tag
def columns(days: Sequence[tuple[date, int]], name: str, title: str) -> SafeString:
    """Draw a number for each day."""
    width = NARROW if len(days) <= FEW else WIDE
    highest = max((value for _day, value in days), default=0)
    top = _ceiling(highest)
    left = 12 + 8 * len(formats.number_format(top))
    step = (width - left) / max(len(days), 1)
    drawn = [_line(left, width, value, top) for value in sorted({0, top // 2, top})]
    for n, (day, value) in enumerate(days):
        x, tall = left + n * step, (HEIGHT - TOP) * value / top
        about = f"{words.day_of_year(day)}: {formats.number_format(value)}"
        drawn.append(
            f'<g class="bar"><title>{escape(about)}</title><rect x="{x + step * 0.12:.1f}" '
            f'y="{HEIGHT - tall:.1f}" width="{step * 0.76:.1f}" height="{tall:.1f}"/></g>'
        )
        middle = f'x="{x + step / 2:.1f}" text-anchor="middle"'
        if value and len(days) <= FEW:
            said = formats.number_format(value)
            drawn.append(f'<text {middle} y="{HEIGHT - tall - 5:.1f}">{said}</text>')
        if label := _under(day, len(days)):
            drawn.append(
                f'<text class="label small" {middle} y="{HEIGHT + 17}">{escape(label)}</text>'
            )
    return _picture(name, title, _most(days), (width, HEIGHT + FOOT), drawn)


def _line(left: float, width: float, value: int, top: int) -> str:
    y = HEIGHT - (HEIGHT - TOP) * value / top
    return (
        f'<path class="line" d="M{left} {y:.1f}H{width}"/><text class="label" x="{left - 6}" '
        f'y="{y + 4:.1f}" text-anchor="end">{formats.number_format(value)}</text>'
    )


def _ceiling(highest: int) -> int:
    """Return the next round number: 2, 4, 6, 8 or 10 of the same magnitude."""
    if highest <= 2:
        return 2
    magnitude = 10 ** int(log10(highest))
    return max(
        2, 2 * magnitude * ceil(highest / (2 * magnitude)) if magnitude > 1 else _even(highest)
    )


def _even(value: int) -> int:
    return value + value % 2


def _under(day: date, days: int) -> str:
    """Return what is written under a day: under so many that they don't touch."""
    if days <= FEW:
        return f"{words.WEEKDAYS[day.weekday()]} {day.day}"
    if days <= 45:
        return words.day_of_year(day).rsplit(" ", 1)[0] if day.weekday() == 0 else ""
    return formats.date_format(day, "M") if day.day == 1 else ""


def _most(days: Sequence[tuple[date, int]]) -> str:
    day, most = max(days, key=lambda each: each[1], default=(None, 0))
    if day is None or not most:
        return _("Nothing in these days.")
    return _("Most: %(n)s on %(day)s.") % {
        "n": formats.number_format(most),
        "day": words.day_of_year(day),
    }


# --- Bars, with a name each -----------------------------------------------------------------------

LINE, BAR, GAP = 17, 12, 12


@register.simple_tag
def bars(named: Sequence[tuple[str, int]], name: str, title: str) -> SafeString:
    """Draw a number for each name, the name above it."""
    most = max((value for _label, value in named), default=0)
    room = NARROW - 14 - 8 * len(formats.number_format(most))
    drawn, y = [], 0
    for label, value in named:
        for line in wrap(label, LETTERS) or [""]:
            y += LINE
            drawn.append(f'<text x="0" y="{y - 3}">{escape(line)}</text>')
        wide = max(2, room * value / most) if value else 0
        drawn.append(
            f'<g class="bar"><rect x="0" y="{y + 2}" width="{wide:.1f}" height="{BAR}" rx="2"/></g>'
            f'<text x="{wide + 6:.1f}" y="{y + BAR + 1}">{formats.number_format(value)}</text>'
        )
        y += BAR + GAP
    about = _("Nothing in these days.")
    if most:
        label = max(named, key=lambda each: each[1])[0]
        about = _("Most: %(n)s, %(name)s.") % {"n": formats.number_format(most), "name": label}
    return _picture(name, title, about, (NARROW, max(y, 1)), drawn)
