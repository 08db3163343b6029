"""The cards of places that can be booked with one click, written as text.

Like the timeline's rows: a board shows dozens, and templates would take ten times as long.
"""

from collections.abc import Iterable, Iterator
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
from bookings.finding.last_word import last_word
from bookings.templatetags.places import offer_url
from bookings.words import words
from bookings.words.local_time import write_instant
from spaces.features import Feature
from spaces.models import Place
from spaces.slots import Period

register = template.Library()


@register.simple_tag(takes_context=True)
def offer_cards(context: Context, offers: Iterable[Offer], show_time: bool = False) -> SafeString:
    """Write a `<li>` for each offer; its button books, or moves `moving` there.

    From the page it needs venue, zone and party_size, and the board for visitors, who sign in
    first. `show_time`: the offers are not all for the same time.
    """
    cards = _Cards(context, show_time=show_time)
    return mark_safe("".join(map(cards.card, offers)))  # noqa: S308 - escaped piece by piece


@register.simple_tag(takes_context=True)
def picked_card(context: Context, offer: Offer) -> SafeString:
    """Write the offer that was picked on the timeline: it comes first and takes the focus."""
    return mark_safe(_Cards(context, is_picked=True).card(offer))  # noqa: S308


class _Cards:
    def __init__(
        self, context: Context, *, is_picked: bool = False, show_time: bool = False
    ) -> None:
        self.context: Any = context
        self.request = context["request"]
        self.moving = context.get("moving")
        self.show_time = show_time
        self.is_picked = is_picked
        self.button = "primary" if is_picked or show_time else "soft"
        self.icons = escape(static("img/icons.svg"))
        self.features = {
            f.value: f"<li>{self._icon(f.value)}{escape(str(f.label))}</li>" for f in Feature
        }
        self.times = cache(self._times)
        self.last_words = cache(self._last_words)

    def card(self, offer: Offer) -> str:
        place, name = offer.place, escape(str(offer.place))
        until = words.clock(offer.free_until, self.context["zone"])
        free = escape(_("free until %(time)s") % {"time": until})
        when = f"{words.whole(self._when(offer.period))} · " if self.show_time else ""
        picked = ' tabindex="-1"' + ("" if self.request.htmx else " autofocus")
        return (
            f'<li class="place card{" picked" if self.is_picked else ""}"'
            f"{picked if self.is_picked else ''}>"
            f'<div class="place-words"><h3>{self._icon(place.kind)}{name}</h3>'
            f'<p class="muted">{when}{free}</p>{self.last_words(place.kind, offer.period)}'
            f'<ul class="features">{"".join(self._offered(place))}</ul></div>'
            f"{self._action(offer, name)}</li>\n"
        )

    def _icon(self, name: str) -> str:
        use = f'<use href="{self.icons}#{escape(name)}"/>'
        return f'<svg class="icon" aria-hidden="true">{use}</svg>'

    def _when(self, period: Period) -> str:
        zone = self.context["zone"]
        day = words.day_at(period.starts_at, zone, self.context["now"])
        return escape(f"{capfirst(day)}, {words.span(period, zone)}")

    def _last_words(self, kind: str, period: Period) -> str:
        """Say until when it could be undone, more prominently if that is soon over."""
        said, is_warning = last_word(
            self.context["venue"], kind, period, now=self.context["now"], moving=self.moving
        )
        if not said:
            return ""
        tone = "warning" if is_warning else "muted"
        return f'<p class="last-word {tone}">{escape(capfirst(said))}</p>'

    def _offered(self, place: Place) -> Iterator[str]:
        if place.capacity > 1:
            people = ngettext("up to %(n)s person", "up to %(n)s people", place.capacity)
            yield f"<li>{escape(people % {'n': place.capacity})}</li>"
        yield from (self.features[value] for value in place.features if value in self.features)

    def _action(self, offer: Offer, name: str) -> str:
        moving, place = self.moving, offer.place
        if moving and (place.pk, offer.period) == (moving.place_id, moving.period):
            return f'<span class="chip">{escape(_("as it is now"))}</span>'
        whose = f'<span class="visually-hidden">, {name}</span>'
        if not self.request.user.is_authenticated:
            return self._door(offer, whose)
        key = "" if moving else f'<input type="hidden" name="request_key" value="{self._key()}">'
        head, button = self.times(offer.period)
        return (
            f'{head}<input type="hidden" name="place" value="{place.code}">{key}'
            f'<button class="button {self.button}">{button}{whose}</button></form>'
        )

    def _key(self) -> str:
        """Return a fresh request key, or the blank for one. See `bookings.finding.kept`."""
        return str(self.context.get("request_key") or uuid4())

    def _door(self, offer: Offer, whose: str) -> str:
        """Link a visitor to signing up or in, which then books this. See `accounts.wishes`."""
        zone = self.context["zone"]
        wish = {
            "place": offer.place.code,
            "starts_at": write_instant(offer.period.starts_at, zone),
            "ends_at": write_instant(offer.period.ends_at, zone),
            "party_size": self.context["party_size"],
            "next": offer_url(self.context["board"], offer),
        }
        url = escape(reverse("register", query=wish))
        return f'<a class="button {self.button}" href="{url}">{self._book(offer.period)}{whose}</a>'

    def _book(self, period: Period) -> str:
        time = f'<span class="time">{escape(words.span(period, self.context["zone"]))}</span>'
        return f"{escape(_('Book'))} {time}"

    def _times(self, period: Period) -> tuple[str, str]:
        """Return what all cards for one time share: the form's start, and the button's label."""
        zone, moving = self.context["zone"], self.moving
        url = reverse("reschedule", args=[moving.code]) if moving else reverse("bookings")
        fields = {
            "csrfmiddlewaretoken": self.context["csrf_token"],
            "starts_at": write_instant(period.starts_at, zone),
            "ends_at": write_instant(period.ends_at, zone),
            "party_size": self.context["party_size"],
        }
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(str(value))}">'
            for name, value in fields.items()
        )
        button = escape(_("Move here")) if moving else self._book(period)
        return f'<form method="post" action="{escape(url)}" data-once>{hidden}', button
