"""From a booking form to a decision: one place, or a party for which the house chooses."""

from datetime import datetime
from typing import Any

from bookings.deciding import choosing, services
from bookings.deciding.wish import PartyWish, Wish
from bookings.forms import BookForm, PartyForm
from bookings.guests import Actor
from bookings.models import Booking
from spaces.models import Place


def wish_of(form: BookForm, place: Place, **who: Any) -> Wish | PartyWish:
    """Return what a valid form asks for; `place` is the one that it found, `who` the person."""
    asked: dict[str, Any] = {
        "starts_at": form.period.starts_at,
        "party_size": form.cleaned_data["party_size"] or 1,
        "request_key": form.cleaned_data["request_key"],
        "note": form.cleaned_data["note"],
        **who,
    }
    if not isinstance(form, PartyForm):
        return Wish(place=place, ends_at=form.period.ends_at, **asked)
    return PartyWish(
        space=place.space,
        ends_at=None if form.is_by_turn else form.period.ends_at,
        features=form.cleaned_data["features"],
        area=form.cleaned_data["area"],
        **asked,
    )


def decided(wish: Wish | PartyWish, *, by: Actor, now: datetime) -> Booking:
    """Book it. Raises what `services.book` does."""
    if isinstance(wish, PartyWish):
        return choosing.book_party(wish, by=by, now=now)
    return services.book(wish, by=by, now=now)
