"""A change of set-up on the staff's pages: done at once, or asked about first.

What would hit bookings shows them and asks what becomes of them; what takes something away asks
in any case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.requests import AuthenticatedRequest
from bookings.deciding.furnishing import carry_out
from bookings.deciding.rulings import ChangedMeanwhile
from bookings.deciding.stranding import UNANSWERED, Act, Question, Stranded, foresee
from bookings.staff.sure import ReasonedForm, described, happened
from spaces.models import Space

#: More bookings than this are counted, not listed.
MOST_LISTED = 100


@dataclass(frozen=True)
class Change:
    """What somebody wants to change, in words, and how."""

    make: Callable[[], object]
    mark: Callable[[], str]
    #: Asked if it has to be, with what there is to say about it, and the button that does it.
    question: str
    title: str
    sentences: Sequence[str]
    button: str
    done: str
    #: Ask even if it hits no booking.
    takes_away: bool = False


def settle(request: AuthenticatedRequest, space: Space, change: Change, back: str) -> HttpResponse:
    """Make a change, or ask about it; then lead to the page named `back`."""
    sure = ReasonedForm(request.POST)
    answer, now = sure.answer(), timezone.now()
    if change.takes_away and answer is None:
        found = foresee(space, change.make, Act(by=request.user, now=now))
        return _ask(request, space, change, sure, found)
    act = Act(by=request.user, now=now, answer=answer or UNANSWERED)
    seen = request.POST.get("seen", "")
    try:
        outcome = carry_out(space, change.make, act, mark=change.mark, seen=seen)
    except ChangedMeanwhile:
        messages.error(request, _("Somebody changed this meanwhile. Look, then try again."))
        return redirect(back, space.slug)
    except Question as question:
        return _ask(request, space, change, sure, question.found)
    messages.success(request, " ".join([change.done, *happened(outcome)]))
    return redirect(back, space.slug)


def _ask(
    request: AuthenticatedRequest,
    space: Space,
    change: Change,
    sure: ReasonedForm,
    found: list[Stranded],
) -> HttpResponse:
    context = {
        "space": space,
        "change": change,
        "yes": change.button,
        "outside": len(found),
        "lines": [described(line) for line in found[:MOST_LISTED]],
        "must_go": any(line.must_go for line in found),
        "hidden": sure.carried(request.POST),
        "shown": ",".join(str(line.booking.code) for line in found),
        "form": sure if sure.errors else ReasonedForm(),
    }
    is_wrong = bool(sure.errors.get("reason"))
    return render(request, "staff/sure.html", context, status=422 if is_wrong else 409)
