"""How a house seats its guests, for its managers: shifts, turn times, combinations of places."""

from typing import Any

from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import AuthenticatedRequest
from bookings.deciding import furnishing
from bookings.deciding.furnishing import shifts_of
from bookings.staff.access import space_managed_by
from bookings.staff.seating_forms import ShiftForm, TurnsForm
from bookings.staff.settling import Change, settle
from bookings.words.rules_in_words import sentences
from bookings.words.seating_in_words import combination_in_words, shift_in_words, turns_in_words
from spaces.models import Place, Policy, Shift, Space, TurnTime

BACK = "staff_seating"
methods = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@require_safe
def staff_seating(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show it all as sentences."""
    space = space_managed_by(request.user, slug)
    wholes = Place.objects.in_space(space).exclude(parts=None).distinct().by_number()
    context = {
        "space": space,
        "shifts": _shifts(space),
        "turns": turns_in_words(TurnTime.objects.filter(space=space.pk)),
        "combinations": [
            (whole, combination_in_words(whole, sorted(whole.parts.all(), key=_number)))
            for whole in wholes.prefetch_related("parts")
        ],
    }
    return render(request, "staff/seating.html", context)


def _number(place: Place) -> int:
    return place.number


def _shifts(space: Space) -> list[dict[str, Any]]:
    """Return each shift with its rules, which have the numbers of the page of rules."""
    policies = Policy.objects.filter(space=space.pk).select_related("group", "tier", "shift")
    numbered = list(enumerate(policies.order_by("pk"), 1))
    return [
        {
            "number": number,
            "shift": shift,
            "sentences": shift_in_words(shift),
            "rules": [
                (n, sentences(policy)) for n, policy in numbered if policy.shift_id == shift.pk
            ],
        }
        for number, shift in enumerate(shifts_of(space), 1)
    ]


@never_cache
@methods
def staff_shift(request: AuthenticatedRequest, slug: str, number: int) -> HttpResponse:
    """Change the shift with this number, or make one (0). What it would hit is asked about."""
    space = space_managed_by(request.user, slug)
    shifts = shifts_of(space)
    if number > len(shifts):
        raise Http404
    shift = shifts[number - 1] if number else Shift(space_id=space.pk)
    key = shift.pk or 0
    if request.method != "POST":
        form = ShiftForm(space=space, instance=shift)
        return _shift_page(request, space, form, furnishing.mark_of_shift(key))
    seen, is_back = request.POST.get("seen", ""), request.POST.get("choice") == "back"
    if "remove" in request.POST and number and not is_back:
        return settle(request, space, _removal(shift), BACK)
    form = ShiftForm(request.POST, space=space, instance=shift)
    if not form.is_valid() or is_back:
        return _shift_page(request, space, form, seen, status=422 if form.errors else 200)
    change = Change(
        make=shift.save,
        mark=lambda: furnishing.mark_of_shift(key),
        question=_("Save this shift?"),
        title=shift.name,
        sentences=shift_in_words(shift),
        button=_("Save the shift"),
        done=_("The shift is saved."),
    )
    try:
        return settle(request, space, change, BACK)
    except IntegrityError:  # somebody gave the name to another one a moment ago
        form.add_error("name", _("This space has a shift of that name."))
        return _shift_page(request, space, form, seen, status=422)


def _removal(shift: Shift) -> Change:
    said = shift_in_words(shift)
    if rules := Policy.objects.filter(shift=shift.pk).count():
        text = ngettext("%(n)d rule goes with it.", "%(n)d rules go with it.", rules)
        said.append(text % {"n": rules})
    key = shift.pk
    return Change(
        make=lambda: Shift.objects.filter(pk=key).delete(),
        mark=lambda: furnishing.mark_of_shift(key),
        question=_("Remove this shift?"),
        title=shift.name,
        sentences=said,
        button=_("Remove the shift"),
        done=_("The shift is removed."),
        takes_away=True,
    )


def _shift_page(
    request: AuthenticatedRequest, space: Space, form: ShiftForm, seen: str, status: int = 200
) -> HttpResponse:
    context = {"space": space, "form": form, "seen": seen, "is_new": form.instance._state.adding}
    return render(request, "staff/shift.html", context, status=status)


@never_cache
@methods
def staff_turns(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Change the turn times, all at once. Bookings that exist keep their times."""
    space = space_managed_by(request.user, slug)
    turns = list(TurnTime.objects.filter(space=space.pk).order_by("from_party"))
    seen = furnishing.mark_of_turns(space)
    if request.method != "POST":
        return _turns_page(request, space, TurnsForm(turns=turns), seen)
    seen, form = request.POST.get("seen", ""), TurnsForm(request.POST, turns=turns)
    if not form.is_valid() or request.POST.get("choice") == "back":
        return _turns_page(request, space, form, seen, status=422 if form.errors else 200)
    minutes = form.minutes_from
    change = Change(
        make=lambda: furnishing.set_turns(space, minutes),
        mark=lambda: furnishing.mark_of_turns(space),
        question=_("Save these turn times?"),
        title=_("Turn times"),
        sentences=turns_in_words(TurnTime(from_party=n, minutes=minutes[n]) for n in minutes),
        button=_("Save the turn times"),
        done=_("The turn times are saved.") if minutes else _("There are no turn times now."),
    )
    return settle(request, space, change, BACK)


def _turns_page(
    request: AuthenticatedRequest, space: Space, form: TurnsForm, seen: str, status: int = 200
) -> HttpResponse:
    context = {"space": space, "form": form, "seen": seen}
    return render(request, "staff/turns.html", context, status=status)
