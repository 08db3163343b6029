"""Where the staff begin: their spaces."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import AuthenticatedRequest
from spaces.models import Space
from spaces.staff_admin import ANY_ROLE, holds

#: How many spaces one page lists.
MOST = 500


@require_safe
@never_cache
def staff(request: AuthenticatedRequest) -> HttpResponse:
    """List the spaces whose day this person runs; the only one is opened at once."""
    if not holds(request, ANY_ROLE):
        raise PermissionDenied
    spaces = list(Space.objects.run_by(request.user).by_name()[:MOST])
    if len(spaces) == 1:
        return redirect("staff_day", spaces[0].slug)
    return render(request, "staff/staff.html", {"spaces": spaces})
