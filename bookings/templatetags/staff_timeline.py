"""The staff's timeline, written as text like the members' board: see `timeline`."""

from functools import cache
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from bookings.finding.timeline import Cell, Is, Row, Timeline
from bookings.models import Booking
from bookings.templatetags.when import minutes_into
from bookings.words.local_time import write_clock, write_instant
from bookings.words.words import clock
from spaces.slots import SLOT, floor

register = template.Library()


@register.simple_tag
def staff_timeline_table(timeline: Timeline) -> SafeString:
    """Write the table of a day: a column for each quarter hour, a row for each place.

    Scripts read from it what a block may do: its step, whether it has begun, the clock of every
    column.
    """
    return mark_safe(_Writer(timeline).table())  # noqa: S308 - escaped piece by piece


@register.simple_tag
def staff_timeline_marks(timeline: Timeline) -> SafeString:
    """Write what is drawn over all rows, in minutes: the hours, and now."""
    window = timeline.window
    if window is None:
        return mark_safe("")
    hours = "".join(
        f"M{minutes_into(at, window)} 0v1"
        for at in timeline.starts
        if at.astimezone(timeline.venue.zone).minute == 0
    )
    marks = f'<path class="hours" vector-effect="non-scaling-stroke" d="{hours}"/>'
    at = minutes_into(timeline.now, window)
    if at and timeline.now < window.ends_at:
        marks += f'<path class="now" vector-effect="non-scaling-stroke" d="M{at} 0v1"/>'
    return mark_safe(marks)  # noqa: S308 - numbers


class _Writer:
    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.zone = timeline.venue.zone
        self.slug = timeline.setup.space.slug
        self.starts = timeline.starts
        self.phone = reverse("staff_phone", args=[self.slug])
        self.clock = cache(lambda quarter: clock(self.starts[quarter], self.zone))
        self.people = cache(lambda n: ngettext("%(n)d person", "%(n)d people", n) % {"n": n})
        self.free = escape(pgettext("timeline", "free"))
        self.part = escape(pgettext("timeline", "taken"))
        self.closed = escape(pgettext("timeline", "closed"))

    def table(self) -> str:
        columns = len(self.starts) - 1
        instants = " ".join(write_instant(at, self.zone) for at in self.starts)
        return (
            f'<table data-instants="{escape(instants)}">'
            f'<colgroup><col class="names"><col span="{columns}"></colgroup>'
            f'<thead><tr><th scope="col">{escape(_("Place"))}</th>'
            f"{self._hours(columns)}</tr></thead>"
            f"<tbody>\n{''.join(map(self._row, self.timeline.rows()))}</tbody></table>"
        )

    def _hours(self, columns: int) -> str:
        minutes = '<span class="visually-hidden">:00</span>'
        cells, at = [], 0
        while at < columns:
            local = self.starts[at].astimezone(self.zone)
            width = min(4 - local.minute // 15, columns - at)
            cells.append(f'<th scope="col" colspan="{width}">{local.hour}{minutes}</th>')
            at += width
        return "".join(cells)

    def _row(self, row: Row) -> str:
        place = row.place
        name = escape(str(place))
        people = f" <small>{escape(self.people(place.capacity))}</small>"
        cells = "".join(self._cell(cell, row, name) for cell in row.cells)
        return (
            f'<tr data-place="{place.code}" data-name="{name}">'
            f'<th scope="row">{name}{people}</th>{cells}</tr>\n'
        )

    def _cell(self, cell: Cell, row: Row, name: str) -> str:
        head = f'<td colspan="{cell.end - cell.start}" class="{cell.is_}'
        time = f"{self.clock(cell.start)}–{self.clock(cell.end)}"
        if cell.booking is not None:
            state = cell.booking.state.lower()
            return f'{head} {state}">{self._block(cell, cell.booking, name)}</td>'
        if cell.is_ == Is.PART:
            return f'{head}"><span>{_hidden(f"{self.part} {time}")}</span></td>'
        if cell.is_ == Is.CLOSED:
            return f'{head}"><span>{_hidden(f"{self.closed} {time}")}</span></td>'
        return f'{head}">{self._gap(cell, row, time)}</td>'

    def _gap(self, cell: Cell, row: Row, time: str) -> str:
        """Return free time: a link that begins a booking there, unless it is past."""
        start = max(self.starts[cell.start], floor(self.timeline.now))
        if start >= self.starts[cell.end] or not row.place.is_bookable:
            return f"<span>{_hidden(f'{self.free} {time}')}</span>"
        local = start.astimezone(self.zone)
        query = f"date={local.date()}&from={write_clock(start, self.zone)}&place={row.place.code}"
        text = _hidden(f"{self.free} {time}")
        return f'<a class="gap" tabindex="-1" href="{self.phone}?{escape(query)}">{text}</a>'

    def _block(self, cell: Cell, booking: Booking, place: str) -> str:
        """Return a booking's block: a link to its form, with what a script needs to move it."""
        who = booking.member.get_full_name() if booking.member else booking.guest_name
        url = reverse("staff_booking", args=[self.slug, booking.code])
        time = f"{clock(booking.starts_at, self.zone)}–{clock(booking.ends_at, self.zone)}"
        said = f"{self.people(booking.party_size)}, {place}, {time}, {booking.get_state_display()}"
        first = self.starts[0]
        data = {
            "code": booking.code,
            "start": (booking.starts_at - first) // SLOT,
            "end": -((first - booking.ends_at) // SLOT),
            "step": self.timeline.step(booking),
            "seen": getattr(booking, "seen", ""),
        }
        if booking.occupies and booking.ends_at > self.timeline.now:
            data["moves"] = "end" if booking.has_started(self.timeline.now) else "all"
        written = "".join(f' data-{name}="{escape(str(value))}"' for name, value in data.items())
        return (
            f'<a class="block" id="block-{booking.code}" href="{url}?back=timeline"{written}>'
            f'<span class="who">{escape(who)}</span> '
            f'<span class="n" aria-hidden="true">{booking.party_size}</span>'
            f'<span class="visually-hidden">, {escape(said)}</span></a>'
        )


def _hidden(text: str) -> str:
    """Return what is only read aloud; it is escaped already."""
    return f'<span class="visually-hidden">{text}</span>'
