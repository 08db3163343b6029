"""The page of a party at a restaurant's door, by its link: its place in the list, yes or no."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import PageRequest
from bookings.deciding import holds, waiting_links, waiting_list
from bookings.deciding.errors import BookingError
from bookings.finding import at_the_door
from bookings.guests import BY_GUEST
from bookings.models import Booking
from bookings.states import State
from bookings.views.secret import old_waiting_link, opened
from bookings.waiting import PartyState, WaitingParty
from spaces import setups

by_link = partial(opened, waiting_links.find, otherwise=old_waiting_link)

#: What has become of a table that somebody said yes to.
KEPT = (State.CONFIRMED, State.CHECKED_IN)


@by_link
@require_safe
def waiting(request: PageRequest, token: str, party: WaitingParty) -> HttpResponse:
    """Show how many are ahead and how long that takes; or the table, and until when it is held.

    An open page asks again every few seconds.
    """
    about = _about(party, token, now=timezone.now())
    if request.htmx and request.GET.get("seen") == about["seen"]:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)  # htmx leaves the page as it is
    template = "bookings/waiting.html#place" if request.htmx else "bookings/waiting.html"
    return render(request, template, about)


def _about(party: WaitingParty, token: str, *, now: datetime) -> dict[str, Any]:
    setup = setups.current(party.space_id)
    known = Booking.objects.with_place()
    booking = known.filter(pk=party.booking_id).first() if party.booking_id else None
    is_waiting = party.state == PartyState.WAITING
    # Between the end of the minutes and the worker who gives the table back, it can't be had.
    is_held = (
        party.state == PartyState.TOLD
        and booking is not None
        and booking.hold_expires_at is not None
        and booking.hold_expires_at > now
    )
    is_coming = party.state == PartyState.COMING and booking is not None and booking.state in KEPT
    ahead = WaitingParty.objects.ahead_of(party).count() if is_waiting else 0
    minutes = at_the_door.left_to_wait(party, setup, now=now) if is_waiting else None
    return {
        "seen": f"{party.version}.{ahead}.{minutes}.{is_held}",
        "party": party,
        "token": token,
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "table": booking.place if booking else None,
        "held_until": booking.hold_expires_at if booking else None,
        "ahead": ahead,
        "minutes": minutes,
        "is_waiting": is_waiting,
        "is_held": is_held,
        "is_coming": is_coming,
        "is_seated": party.state == PartyState.SEATED,
        "is_lapsed": party.state == PartyState.LAPSED or (party.state == "TOLD" and not is_held),
        "can_decline": is_waiting or is_held or is_coming,
    }


@by_link
@require_POST
def waiting_yes(request: PageRequest, token: str, party: WaitingParty) -> HttpResponse:
    """Take the table, if nobody else was quicker."""
    return _answer(request, token, partial(holds.confirm, party))


@by_link
@require_POST
def waiting_no(request: PageRequest, token: str, party: WaitingParty) -> HttpResponse:
    """Leave the list, and the table to others."""
    return _answer(request, token, partial(waiting_list.decline, party))


def _answer(request: PageRequest, token: str, answer: Callable[..., WaitingParty]) -> HttpResponse:
    try:
        answer(by=BY_GUEST, now=timezone.now())
    except BookingError as error:
        messages.error(request, str(error))
    response = redirect("waiting", token)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
