"""A day's timeline, written as text: templates would take many times as long.

A board of 50 places has some 350 runs, and is the most requested page. So what runs have in common
is written once: a run costs a look-up and a few strings put together.
"""

from dataclasses import replace
from datetime import datetime
from functools import cache
from html import escape
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from bookings.finding.board import Board, Is, Row
from bookings.finding.links import search_query
from bookings.models import Booking
from bookings.templatetags.when import clock_query, minutes_into
from bookings.words.words import clock
from spaces.features import Feature
from spaces.models import Place
from spaces.slots import SLOT, Period

register = template.Library()

FEATURES = frozenset(Feature.values)
NOBODYS = UUID(int=0)  # stands for a booking's code


@register.simple_tag
def timeline_table(board: Board, moving: Booking | None = None) -> SafeString:
    """Write the table of a day: a column for each quarter hour, a row for each place."""
    return mark_safe(_Writer(board, moving).table())  # noqa: S308 - escaped piece by piece


@register.simple_tag
def timeline_marks(board: Board) -> SafeString:
    """Write what is drawn over all rows, in minutes: the hours, the chosen time."""
    window, chosen = board.window, board.search.period
    if window is None:
        return mark_safe("")
    hours = "".join(f"M{minutes_into(at, window)} 0v1" for at, _columns in board.hours)
    marks = f'<path class="hours" vector-effect="non-scaling-stroke" d="{hours}"/>'
    if chosen is not None:
        start = minutes_into(chosen.starts_at, window)
        if width := minutes_into(chosen.ends_at, window) - start:
            marks += (
                f'<rect class="chosen" x="{start}" width="{width}" height="1"'
                ' vector-effect="non-scaling-stroke"/>'
            )
    return mark_safe(marks)  # noqa: S308 - numbers


@register.simple_tag
def timeline_now(window: Period, now: datetime) -> SafeString:
    """Write the line at the present: all of a board that changes from minute to minute."""
    at = minutes_into(now, window)
    if not at or now >= window.ends_at:
        return mark_safe("")
    line = f'<path class="now" vector-effect="non-scaling-stroke" d="M{at} 0v1"/>'
    return mark_safe(line)  # noqa: S308 - a number


class _Writer:
    def __init__(self, board: Board, moving: Booking | None) -> None:
        self.board = board
        day = replace(board.search, period=None, place=None)
        self.here = escape(f"?{search_query(board.space, day, moving=moving)}")
        self.zone = board.venue.zone
        self.ticket = reverse("booking", args=[NOBODYS])
        self.names = {row.place.pk: str(row.place) for row in board.rows}
        self.clock = cache(self._clock)
        self.people = cache(lambda n: ngettext("for %(n)d", "for %(n)d", n) % {"n": n})
        self.feature = cache(lambda name: str(Feature(name).label))
        self.plain = cache(self._plain)
        self.free = cache(self._free)
        doesnt = escape(pgettext("timeline", "doesn’t suit"))
        self.unsuited = f'<span class="visually-hidden">, {doesnt}</span>'
        self.words = {
            Is.FREE: escape(pgettext("timeline", "free")),
            Is.PAST: escape(pgettext("timeline", "past")),
            Is.LATER: escape(pgettext("timeline", "not open yet")),
            Is.TAKEN: escape(pgettext("timeline", "taken")),
            Is.MINE: escape(pgettext("timeline", "yours")),
            Is.CLOSED: escape(pgettext("timeline", "closed")),
        }

    def table(self) -> str:
        assert self.board.window is not None
        columns = self.board.window.duration // SLOT
        minutes = '<span class="visually-hidden">:00</span>'
        hours = "".join(
            f'<th scope="col" colspan="{width}">{at.astimezone(self.zone).hour}{minutes}</th>'
            for at, width in self.board.hours
        )
        return (
            f'<table><colgroup><col class="names"><col span="{columns}"></colgroup>'
            f'<thead><tr><th scope="col">{escape(_("Place"))}</th>{hours}</tr></thead>'
            f"<tbody>\n{''.join(map(self._row, self.board.rows))}</tbody></table>"
        )

    def _row(self, row: Row) -> str:
        place = row.place
        name = escape(self.names[place.pk])
        marks = ["picked"] if place.code == self.board.search.place else []
        marks += [] if row.suits else ["unsuited"]
        marked = f' class="{" ".join(marks)}"' if marks else ""
        whose = f'<span class="visually-hidden">{name}, </span>'
        picks = f'{place.code}">{whose}'
        header = f"{name}{self._hint(place)}{'' if row.suits else self.unsuited}"
        written = [f'<tr{marked}><th scope="row">{header}</th>']
        for is_, start, end, code, pick in row.runs:
            if pick is not None:
                head, tail = self.free(start, end, pick)
                written.append(f"{head}{picks}{tail}")
            elif code is not None:
                cell, text = self._cell(is_, start, end)
                url = self.ticket.replace(str(NOBODYS), str(code))
                written.append(f'{cell}<a href="{url}">{whose}{text}</a></td>')
            else:
                written.append(self.plain(is_, start, end))
        written.append("</tr>\n")
        return "".join(written)

    def _hint(self, place: Place) -> str:
        """Summarise what a place offers, and which places a composite takes."""
        inner = self.board.venue.parts.get(place.pk, ())
        parts = " + ".join(self.names[part] for part in inner if part in self.names)
        hints = [self.people(place.capacity)] if place.capacity > 1 else []
        hints += [parts] if parts else []
        hints += [self.feature(name) for name in place.features if name in FEATURES]
        return f" <small>{escape(', '.join(hints))}</small>" if hints else ""

    def _clock(self, quarter: int) -> tuple[str, str]:
        """Return a time as people and as URLs write it."""
        local = self.board.quarters.at(quarter).astimezone(self.zone)
        return clock(local, self.zone), clock_query(local, self.zone)

    def _cell(self, is_: Is, start: int, end: int) -> tuple[str, str]:
        """Begin a run's cell; its text is read aloud as "Desk 4, free 9:00–13:00"."""
        time = f"{self.clock(start)[0]}–{self.clock(end)[0]}"
        text = f'<span>{self.words[is_]}</span> <span class="when">{time}</span>'
        return f'<td colspan="{end - start}" class="{is_}">', text

    def _plain(self, is_: Is, start: int, end: int) -> str:
        cell, text = self._cell(is_, start, end)
        return f"{cell}<span>{text}</span></td>"

    def _free(self, start: int, end: int, pick: tuple[int, int]) -> tuple[str, str]:
        """Return a link to a free run, without its place: what is before and after that."""
        cell, text = self._cell(Is.FREE, start, end)
        first, last = (self.clock(quarter)[1] for quarter in pick)
        url = f"{self.here}&amp;from={first}&amp;to={last}&amp;place="
        return f'{cell}<a href="{url}', f"{text}</a></td>"
