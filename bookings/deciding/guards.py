"""The objections of bookings to changes in a space's set-up."""

from collections.abc import Collection
from contextlib import suppress

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.deciding import stranding
from bookings.deciding.errors import WrongState
from bookings.deciding.transitions import move_to
from bookings.models import Booking
from bookings.states import State
from spaces.models import Place


def objection_to_reshaping(place: Place) -> str | None:
    """Refuse to change the parts of a place with upcoming bookings: its leaves hold their slots.

    Those that are over, but not completed by a worker yet, are completed first. Where somebody is
    asked what to do with bookings (`stranding.changing`), nothing is refused.
    """
    now = timezone.now()
    here = Booking.objects.at_places([place.pk])
    for booking in here.past_due(now).with_place():
        with suppress(WrongState):  # a worker was first
            move_to(State.COMPLETED, booking, by=None, now=now)
    if stranding.is_watched(place.space_id):
        return None
    count = here.occupying().count()
    if not count:
        return None
    return ngettext(
        "%(place)s has %(n)d upcoming booking; its parts can’t change now.",
        "%(place)s has %(n)d upcoming bookings; its parts can’t change now.",
        count,
    ) % {"place": str(place), "n": count}


def bookings_that_keep(places: Collection[Place]) -> list[str]:
    """Say how many bookings each place has, past ones included, with a link to them."""
    counted = Booking.objects.at_places([place.pk for place in places]).by_place(timezone.now())
    lines: list[str] = []
    for place in places:
        if place.pk not in counted:
            continue
        every, upcoming = counted[place.pk]
        query = {"q": str(place), "space": place.space.slug}
        url = reverse("admin:bookings_booking_changelist", query=query)
        has = ngettext("%(n)d booking", "%(n)d bookings", every) % {"n": every}
        ahead = ngettext("%(n)d of them upcoming", "%(n)d of them upcoming", upcoming)
        lines.append(
            format_html(
                '{}: <a href="{}">{}</a>, {}',
                place,
                url,
                has,
                ahead % {"n": upcoming} if upcoming else _("all of them over"),
            )
        )
    return lines
