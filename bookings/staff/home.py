"""Where the staff begin: their spaces."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import AuthenticatedRequest
from spaces.models import Space
from spaces.staff_admin import ANY_ROLE, holds

#: How many spaces one page lists.
MOST = 500

#: The cookie that says whose day somebody saw last.
LAST = "staff_space"


@require_safe
@never_cache
def staff(request: AuthenticatedRequest) -> HttpResponse:
    """Open the day where this person was last; `?all` lists all the spaces whose day they run."""
    if not holds(request, ANY_ROLE):
        raise PermissionDenied
    spaces = list(Space.objects.run_by(request.user).by_name()[:MOST])
    if spaces and (len(spaces) == 1 or "all" not in request.GET):
        last = request.COOKIES.get(LAST, "")
        slug = next((space.slug for space in spaces if space.slug == last), spaces[0].slug)
        return redirect("staff_day", slug)
    return render(request, "staff/staff.html", {"spaces": spaces})


def remember(response: HttpResponse, space: Space) -> HttpResponse:
    """Let this browser's next visit begin at this space."""
    response.set_cookie(
        LAST,
        space.slug,
        path=reverse("staff"),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response
