"""The cards of places that can be booked with one click, written as text.

Like the timeline's rows: a board shows dozens, and templates would take ten times as long.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from html import escape
from typing import Any
from uuid import uuid4

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.finding.availability import Offer
from bookings.finding.board import Board
from bookings.finding.last_word import last_word
from bookings.models import Booking
from bookings.templatetags.places import offer_url, search_url
from bookings.words import words
from bookings.words.local_time import write_instant
from spaces.features import Feature
from spaces.models import Place
from spaces.slots import Period

register = template.Library()

FEATURES = frozenset(Feature.values)


@register.simple_tag(takes_context=True)
def offer_cards(context: Context, offers: Iterable[Offer], show_time: bool = False) -> SafeString:
    """Write a `<li>` for each offer; its button books, or moves `moving` there.

    From the page it needs venue, zone, now and party_size, and the board for visitors, who sign in
    first. `show_time`: the offers are not all for the same time.
    """
    cards = _Cards(context, show_time=show_time)
    return mark_safe("".join(map(cards.card, offers)))  # noqa: S308 - escaped piece by piece


@register.simple_tag(takes_context=True)
def picked_card(context: Context, offer: Offer) -> SafeString:
    """Write the offer that was picked on the timeline: it comes first and takes the focus."""
    return mark_safe(_Cards(context, is_picked=True).card(offer))  # noqa: S308  # escaped where it is made


@register.simple_tag(takes_context=True)
def party_card(context: Context, board: Board, offer: Offer) -> SafeString:
    """Write what the house offers a party: a time, and a table that it chooses itself."""
    return mark_safe(_Cards(context, is_picked=False).party(board, offer))  # noqa: S308  # escaped where it is made


class _Cards:
    """Writes cards; what several have in common is written once."""

    def __init__(
        self, context: Context, *, is_picked: bool = False, show_time: bool = False
    ) -> None:
        self.context: Any = context
        self.request = context["request"]
        #: Where a guest's forms go, with what the guest has typed already.
        self.act: str = self.context.get("act") or ""
        self.carried: dict[str, str] = self.context.get("carried") or {}
        self.is_visitor = not self.act and not self.request.user.is_authenticated
        self.moving = context.get("moving")
        self.zone, self.now = context["zone"], context["now"]
        self.show_time = show_time
        self.start = '<li class="place card">'
        if is_picked:
            focus = "" if self.request.htmx else " autofocus"
            self.start = f'<li class="place card picked" tabindex="-1"{focus}>'
        self.button = "primary" if is_picked or show_time else "soft"
        self.icons = escape(static("img/icons.svg"))
        self.token = _hidden("csrfmiddlewaretoken", context["csrf_token"])
        self.icon = cache(self._icon)
        self.free_until = cache(self._free_until)
        self.people = cache(self._people)
        self.feature = cache(self._feature)
        self.about = cache(self._about)
        self.form = cache(self._form)

    def card(self, offer: Offer) -> str:
        place, period = offer.place, offer.period
        name = escape(str(place))
        when, last_words = self.about(place.kind, period)
        return (
            f'{self.start}<div class="place-words"><h3>{self.icon(place.kind)}{name}</h3>'
            f'<p class="muted">{when}{self.free_until(offer.free_until)}</p>{last_words}'
            f'<ul class="features">{"".join(self._offered(place))}</ul></div>'
            f"{self._action(offer, name)}</li>\n"
        )

    def party(self, board: Board, offer: Offer) -> str:
        search, period = board.search, offer.period
        people = ngettext("%(n)d person", "%(n)d people", search.party_size)
        day = capfirst(words.day_at(period.starts_at, self.zone, self.now))
        when = escape(f"{day}, {words.span(period, self.zone)}")
        title = escape(_("A table for %(people)s")) % {
            "people": escape(people % {"n": search.party_size})
        }
        until = escape(
            _("Yours until %(time)s.") % {"time": words.clock(period.ends_at, self.zone)}
        )
        _when, last_words = self.about(offer.place.kind, period)
        action = self._party_action(board, period)
        return (
            f'<li class="place card"><div class="place-words"><h3>{self.icon("TABLE")}{title}</h3>'
            f'<p class="muted">{words.whole(when)}</p>'
            f'<p class="muted">{escape(_("We choose the table."))} {until}</p>{last_words}</div>'
            f"{action}</li>\n"
        )

    def _party_action(self, board: Board, period: Period) -> str:
        """Write what books for a party, or where a visitor says who it is."""
        search = board.search
        fields = {
            "space": board.space.slug,
            "starts_at": write_instant(period.starts_at, self.zone),
            "ends_at": write_instant(period.ends_at, self.zone),
            "party_size": search.party_size,
            "features": ",".join(search.features),
            "area": search.area,
        }
        fields = {name: value for name, value in fields.items() if value != ""}
        if self.is_visitor:
            door = "guest" if board.space.guests_may_book else "register"
            url = reverse(door, query=fields | {"next": search_url(board, search)})
            return f'<a class="button primary" href="{escape(url)}">{self._book(period)}</a>'
        hidden = "".join(_hidden(name, value) for name, value in fields.items())
        return (
            f'<form method="post" action="{escape(reverse("bookings"))}" data-once>{hidden}'
            f'{self._tokens()}<button class="button primary">{self._book(period)}</button></form>'
        )

    def _icon(self, name: str) -> str:
        use = f'<use href="{self.icons}#{escape(name)}"/>'
        return f'<svg class="icon" aria-hidden="true">{use}</svg>'

    def _free_until(self, at: datetime) -> str:
        return escape(_("free until %(time)s") % {"time": words.clock(at, self.zone)})

    def _about(self, kind: str, period: Period) -> tuple[str, str]:
        """Say when, if cards differ; and until when it could be undone."""
        when = ""
        if self.show_time:
            day = words.day_at(period.starts_at, self.zone, self.now)
            time = escape(f"{capfirst(day)}, {words.span(period, self.zone)}")
            when = f"{words.whole(time)} · "
        said, is_warning = last_word(
            self.context["venue"], kind, period, now=self.now, moving=self.moving
        )
        tone = "warning" if is_warning else "muted"
        last = f'<p class="last-word {tone}">{escape(capfirst(said))}</p>' if said else ""
        return when, last

    def _people(self, capacity: int) -> str:
        people = ngettext("up to %(n)s person", "up to %(n)s people", capacity)
        return f"<li>{escape(people % {'n': capacity})}</li>"

    def _feature(self, name: str) -> str:
        return f"<li>{self.icon(name)}{escape(str(Feature(name).label))}</li>"

    def _offered(self, place: Place) -> Iterator[str]:
        if place.capacity > 1:
            yield self.people(place.capacity)
        yield from (self.feature(name) for name in place.features if name in FEATURES)

    def _action(self, offer: Offer, name: str) -> str:
        moving, place = self.moving, offer.place
        if moving and (place.pk, offer.period) == (moving.place_id, moving.period):
            return f'<span class="chip">{escape(_("as it is now"))}</span>'
        whose = f'<span class="visually-hidden">, {name}</span>'
        if self.is_visitor:
            return self._door(offer, whose)
        form, button = self.form(offer.period)
        return (
            f'{form}<input type="hidden" name="place" value="{place.code}">{self._tokens()}'
            f'<button class="button {self.button}">{button}{whose}</button></form>'
        )

    def _tokens(self) -> str:
        """Write what no two pages or forms share, or the blanks: see `bookings.finding.kept`."""
        if self.moving:
            return self.token
        return self.token + _hidden("request_key", self.context.get("request_key") or uuid4())

    def _door(self, offer: Offer, whose: str) -> str:
        """Link a visitor to signing up or in, which then books this. See `accounts.wishes`."""
        wish = {
            "place": offer.place.code,
            "starts_at": write_instant(offer.period.starts_at, self.zone),
            "ends_at": write_instant(offer.period.ends_at, self.zone),
            "party_size": self.context["party_size"],
            "next": offer_url(self.context["board"], offer),
        }
        # Where guests may book, that door is the nearest; the others are on the same page.
        door = "guest" if offer.place.space.guests_may_book else "register"
        url = escape(reverse(door, query=wish))
        return f'<a class="button {self.button}" href="{url}">{self._book(offer.period)}{whose}</a>'

    def _book(self, period: Period) -> str:
        time = f'<span class="time">{escape(words.span(period, self.zone))}</span>'
        return f"{escape(_('Book'))} {time}"

    def _move(self, moving: Booking, period: Period) -> str:
        """Say where to: with the day, if it is another one."""
        days = {at.astimezone(self.zone).date() for at in (period.starts_at, moving.starts_at)}
        time = words.span(period, self.zone)
        if len(days) > 1:
            time = f"{words.day_at(period.starts_at, self.zone, self.now)}, {time}"
        shown = f'<span class="time">{escape(time)}</span>'
        return escape(_("Move to %(time)s")) % {"time": shown}

    def _form(self, period: Period) -> tuple[str, str]:
        """Return what all cards for one time share: the form's start, and the button's label."""
        moving = self.moving
        url = self.act or (
            reverse("reschedule", args=[moving.code]) if moving else reverse("bookings")
        )
        fields = {
            **self.carried,
            "starts_at": write_instant(period.starts_at, self.zone),
            "ends_at": write_instant(period.ends_at, self.zone),
            "party_size": self.context["party_size"],
        }
        hidden = "".join(_hidden(name, value) for name, value in fields.items())
        button = self._move(moving, period) if moving else self._book(period)
        return f'<form method="post" action="{escape(url)}" data-once>{hidden}', button


def _hidden(name: str, value: object) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(str(value))}">'
