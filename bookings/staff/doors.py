"""Screens at the doors of a space, for its managers: make one, see them, revoke one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import AuthenticatedRequest
from bookings.deciding import door_keys
from bookings.doors import DoorView
from bookings.forms import DoorForm
from bookings.staff.access import setup_run_by, space_managed_by

methods = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@methods
def staff_doors(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """List a space's screens; make one and show its address.

    The address appears in the answer to the POST and nowhere else, like an API token's text.
    """
    space = space_managed_by(request.user, slug)
    setup = setup_run_by(request.user, slug)
    form = DoorForm(request.POST if request.method == "POST" else None, setup=setup)
    made, address, status = None, "", 200
    if form.is_valid():
        try:
            made, key = door_keys.make(space, **form.values(), now=timezone.now())
        except door_keys.TooManyDoors as error:
            form.add_error(None, str(error))
        except door_keys.AlreadyMade:
            messages.warning(
                request,
                _(
                    "This screen has already been made. If you didn’t copy its address, revoke it "
                    "and make another."
                ),
            )
            return redirect("staff_doors", slug)
        else:
            address = request.build_absolute_uri(reverse("door", args=[key]))
            form, status = DoorForm(setup=setup), 201
    doors = list(DoorView.objects.of(space))
    context: dict[str, Any] = {
        "space": space,
        "form": form,
        "made": made,
        "address": address,
        "doors": [(door, [place for place in setup.places if door.shows(place)]) for door in doors],
        "now": timezone.now(),
    }
    return render(request, "staff/doors.html", context, status=422 if form.errors else status)


@never_cache
@methods
def staff_door_revoke(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Ask first, then revoke a screen's address."""
    space = space_managed_by(request.user, slug)
    door: DoorView = get_object_or_404(DoorView.objects.of(space), code=code)
    if request.method != "POST":
        return render(request, "staff/door_revoke.html", {"space": space, "door": door})
    door_keys.revoke(door)
    messages.success(request, _("Revoked. The screen shows nothing any more."))
    return redirect("staff_doors", slug)
