"""The answer to a refused booking: what happened, every reason, the nearest alternatives."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import flags
from accounts.flags import Flag
from accounts.models import User
from bookings.deciding.pacing import is_in_house
from bookings.deciding.rules import ABOUT_THE_PERSON, Problem
from bookings.deciding.statements import OWN_IN_THE_WAY
from bookings.finding.availability import Offer, alternatives
from bookings.finding.links import board_url
from bookings.forms import PartyForm, TimesForm
from bookings.models import Booking
from bookings.words import words
from spaces.slots import Period
from spaces.venue import Venue


def refusal(
    request: HttpRequest,
    form: TimesForm,
    *,
    now: datetime,
    problems: Sequence[Problem] = (),
    taken: bool = False,
    moving: Booking | None = None,
    used_for: Booking | None = None,
    act: str = "",
    carried: Mapping[str, str] | None = None,
    ticket: str = "",
) -> HttpResponse:
    """Answer 409 when somebody else has the place, 422 when rules forbid it. Nothing is changed.

    `used_for`: an old form was sent again, from another tab or by the Back button, and what it
    booked is no longer held. For a guest: `act` is where the forms go, along with what is
    `carried`, and `ticket` is the page of the booking that is `moving`.
    """
    place = form.found
    period = form.period if form.is_valid() else None
    party_size = form.cleaned_data.get("party_size") or (moving.party_size if moving else 1)
    context: dict[str, object] = {
        "form": form,
        "now": now,
        "headline": _("That did not work."),
        "problems": problems,
        "moving": moving,
        "party_size": party_size,
        "offers": [],
        "act": act or _address(moving),
        "carried": carried or {},
        "ticket": ticket or (moving.get_absolute_url() if moving else ""),
    }
    if place is not None:
        space = place.space
        context |= {"place": place, "space": space, "zone": space.zone}
        if space.is_active:
            context["board_url"] = board_url(space, day=now.astimezone(space.zone).date())
        is_about_the_person = any(problem.code in ABOUT_THE_PERSON for problem in problems)
        # A party is helped by the times below, and by the board.
        is_open = place.is_bookable and space.is_active and not isinstance(form, PartyForm)
        context["can_try_again"] = is_open and not is_about_the_person
        if period is not None:
            offers, venue = _alternatives(request, form, period, party_size, now, moving)
            context["venue"] = venue
            if not is_about_the_person and flags.is_on(Flag.RECOMMENDATIONS):
                context["offers"] = offers
            context["headline"] = _headline(form, period, taken=taken)
            if used_for is not None:
                context["headline"] = _("This form was used before: nothing is booked now.")
                context["problems"] = [_used(used_for)]
            is_one_place = not isinstance(form, PartyForm)
            if taken and is_one_place and (mine := _mine(request, form, period)):
                named = {"place": str(place), "time": words.span(mine.period, space.zone)}
                context["headline"] = _("%(place)s is already yours for %(time)s.") % named
                context["mine"] = mine
            if space.is_active:
                still_moving = None if is_about_the_person or ticket else moving
                context["board_url"] = board_url(
                    space,
                    day=venue.day_of(period.starts_at),
                    period=period,
                    party_size=party_size,
                    moving=still_moving,
                )
    status = HTTPStatus.CONFLICT if taken else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "bookings/refused.html", context, status=status)


def _address(moving: Booking | None) -> str:
    return reverse("reschedule", args=[moving.code]) if moving else reverse("bookings")


def _used(booking: Booking) -> Problem:
    message = _("The booking that it made is %(state)s. To book again, choose a time below.")
    return Problem("request_key_reused", message % {"state": booking.get_state_display()})


def _mine(request: HttpRequest, form: TimesForm, period: Period) -> Booking | None:
    """Return the person's own booking in the way: made in another tab, or forgotten."""
    if form.found is None or not isinstance(request.user, User):
        return None
    return OWN_IN_THE_WAY.first(
        member=request.user.pk,
        place=form.found.pk,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
    )


def _headline(form: TimesForm, period: Period, *, taken: bool) -> str:
    assert form.found is not None
    if isinstance(form, PartyForm):
        people = form.cleaned_data["party_size"] or 1
        said = ngettext(
            "No table for %(n)d person at %(time)s.",
            "No table for %(n)d people at %(time)s.",
            people,
        )
        return said % {"n": people, "time": words.span(period, form.found.space.zone)}
    named = {"place": str(form.found), "time": words.span(period, form.found.space.zone)}
    if taken:
        return _("Someone took %(place)s for %(time)s a moment ago.") % named
    return _("%(place)s can’t be booked for %(time)s.") % named


def _alternatives(
    request: HttpRequest,
    form: TimesForm,
    period: Period,
    party_size: int,
    now: datetime,
    moving: Booking | None,
) -> tuple[list[Offer], Venue]:
    assert form.found is not None
    assert form.setup is not None
    groups = request.user.group_ids if isinstance(request.user, User) else ()
    venue = form.setup.venue(groups, now)
    offers = alternatives(
        form.setup,
        venue,
        form.found,
        period,
        party_size=party_size,
        now=now,
        but=moving,
        in_house=moving is not None and is_in_house(moving.channel),
    )
    return offers, venue
