"""Where a person is signed in, and signing out there."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import signed_in
from accounts.requests import AuthenticatedRequest

ALL = "all"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: AuthenticatedRequest) -> HttpResponse:
    """List where the person is signed in; end one of these sessions, or all but this one."""
    now = timezone.now()
    found = signed_in.of(request.user, this=request.session.session_key, now=now)
    if request.method != "POST":
        others = [each for each in found if not each.is_this]
        context = {"sessions": found, "others": len(others)}
        return render(request, "accounts/sessions.html", context)
    chosen = request.POST.get("end", "")
    ended = signed_in.end(
        [each for each in found if chosen in (each.code, ALL) and not each.is_this]
    )
    if ended:
        words = ngettext("%(n)d device is signed out.", "%(n)d devices are signed out.", ended)
        messages.success(request, words % {"n": ended})
    else:
        messages.info(request, _("That device is signed out already."))
    return redirect("sessions")
