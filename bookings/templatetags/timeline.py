"""The rows of a day's timeline, written as text: templates would take several times as long.

A board of 40 places has some 200 cells, and is the most requested page.
"""

from collections.abc import Callable, Iterator
from functools import cache
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext, pgettext

from bookings.finding.board import Board, Is, Row, Run
from bookings.templatetags.when import clock_query
from bookings.words.words import clock
from spaces.features import Feature
from spaces.models import Place

register = template.Library()


@register.simple_tag
def timeline_rows(board: Board, here: str) -> SafeString:
    """Write a `<tr>` for each place. `here` is the board's query without time and place."""
    return mark_safe("".join(_Writer(board, here).rows()))  # noqa: S308 - escaped piece by piece


class _Writer:
    def __init__(self, board: Board, here: str) -> None:
        zone = board.venue.zone
        self.board = board
        self.here = escape(here)
        at = board.quarters.at
        self.clock: Callable[[int], str] = cache(lambda quarter: clock(at(quarter), zone))
        self.query: Callable[[int], str] = cache(lambda quarter: clock_query(at(quarter), zone))
        self.parts = board.venue.parts
        self.names = {row.place.pk: str(row.place) for row in board.rows}
        self.features = {feature.value: str(feature.label) for feature in Feature}
        self.words = {
            Is.FREE: escape(pgettext("timeline", "free")),
            Is.PAST: escape(pgettext("timeline", "past")),
            Is.TAKEN: escape(pgettext("timeline", "taken")),
            Is.MINE: escape(pgettext("timeline", "yours")),
            Is.CLOSED: escape(pgettext("timeline", "closed")),
        }

    def rows(self) -> Iterator[str]:
        for row in self.board.rows:
            name = escape(self.names[row.place.pk])
            picked = ' class="picked"' if row.place.code == self.board.search.place else ""
            yield f'<tr{picked}><th scope="row">{name}{self._hint(row.place)}</th>'
            for run in row.runs:
                text = self._run(run, row, name)
                yield f'<td colspan="{run.end - run.start}" class="{run.is_}">{text}</td>'
            yield "</tr>\n"

    def _hint(self, place: Place) -> str:
        """Summarise what a place offers, and which places a composite takes."""
        parts = [self.names[part] for part in self.parts.get(place.pk, ()) if part in self.names]
        hints = [" + ".join(parts)] if parts else []
        hints += [self.features[value] for value in place.features if value in self.features]
        if place.capacity > 1:
            people = ngettext("for %(n)d", "for %(n)d", place.capacity) % {"n": place.capacity}
            hints.insert(0, people)
        return f" <small>{escape(', '.join(hints))}</small>" if hints else ""

    def _run(self, run: Run, row: Row, name: str) -> str:
        """Write a run, read aloud as "Desk 4, free 9:00–13:00"; a link if it leads somewhere."""
        time = f"{self.clock(run.start)}–{self.clock(run.end)}"
        text = f'<span>{self.words[run.is_]}</span> <span class="when">{time}</span>'
        if run.pick is not None:
            start, end = self.query(run.pick[0]), self.query(run.pick[1])
            url = f"{self.here}&amp;from={start}&amp;to={end}&amp;place={row.place.code}"
        elif run.code is not None:
            url = reverse("booking", args=[run.code])
        else:
            return f"<span>{text}</span>"
        return f'<a href="{url}"><span class="visually-hidden">{name}, </span>{text}</a>'
