"""Combinations: places that are booked together, made and changed by a space's managers."""

from uuid import UUID

from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from accounts.requests import AuthenticatedRequest
from bookings.deciding import furnishing
from bookings.deciding.rulings import ChangedMeanwhile
from bookings.staff.access import space_managed_by
from bookings.staff.seating import BACK, methods
from bookings.staff.seating_forms import CombinationForm
from bookings.staff.settling import Change, settle
from bookings.words.seating_in_words import combination_in_words
from spaces.models import Place, Space
from spaces.services import PartsError


@never_cache
@methods
def staff_combination_new(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Make a combination."""
    space = space_managed_by(request.user, slug)
    return _combination(request, space, Place(space_id=space.pk))


@never_cache
@methods
def staff_combination(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Change a combination, or remove one that was never booked."""
    space = space_managed_by(request.user, slug)
    whole = Place.objects.in_space(space).exclude(parts=None).filter(code=code).first()
    if whole is None:
        raise Http404
    return _combination(request, space, whole)


def _combination(request: AuthenticatedRequest, space: Space, whole: Place) -> HttpResponse:
    key, is_new = whole.pk or 0, whole._state.adding
    if request.method != "POST":
        initial = {} if is_new else {"parts": [part.code for part in whole.parts.all()]}
        form = CombinationForm(space=space, instance=whole, initial=initial)
        return _page(request, space, form, furnishing.mark_of_place(key))
    seen, is_back = request.POST.get("seen", ""), request.POST.get("choice") == "back"
    if "remove" in request.POST and not is_new and not is_back:
        return settle(request, space, _removal(whole), BACK)
    form = CombinationForm(request.POST, space=space, instance=whole)
    if not form.is_valid() or is_back:
        return _page(request, space, form, seen, status=422 if form.errors else 200)
    parts = form.cleaned_data["parts"]
    change = Change(
        make=lambda: furnishing.combine(whole, parts),
        mark=lambda: furnishing.mark_of_place(key),
        question=_("Save this combination?"),
        title=whole.name,
        sentences=combination_in_words(whole, parts),
        button=_("Save the combination"),
        done=_("The combination is saved."),
    )
    try:
        return settle(request, space, change, BACK)
    except PartsError as error:
        form.add_error("parts", str(error))
    except IntegrityError:  # its number was given to another place a moment ago
        form.add_error(None, _("Somebody added a place a moment ago. Save it again."))
    return _page(request, space, form, seen, status=422)


def _removal(whole: Place) -> Change:
    key, parts = whole.pk, sorted(whole.parts.all(), key=lambda part: part.number)
    left = ngettext(
        "Its %(n)d place stays, and is booked alone.",
        "Its %(n)d places stay, and are booked alone.",
        len(parts),
    ) % {"n": len(parts)}

    def make() -> None:
        if furnishing.needed(whole):  # since a moment ago
            raise ChangedMeanwhile
        Place.objects.filter(pk=key).delete()

    return Change(
        make=make,
        mark=lambda: furnishing.mark_of_place(key),
        question=_("Remove this combination?"),
        title=str(whole),
        sentences=[*combination_in_words(whole, parts), left],
        button=_("Remove the combination"),
        done=_("The combination is removed."),
        takes_away=True,
    )


def _page(
    request: AuthenticatedRequest,
    space: Space,
    form: CombinationForm,
    seen: str,
    status: int = 200,
) -> HttpResponse:
    whole = form.instance
    is_new = whole.pk is None or whole._state.adding
    context = {
        "space": space,
        "form": form,
        "seen": seen,
        "is_new": is_new,
        "needed": "" if is_new else furnishing.needed(whole),
    }
    return render(request, "staff/combination.html", context, status=status)
