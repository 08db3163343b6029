"""Delete one's own account."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.pages import too_often
from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again, has_no_password
from accounts.tries import TooOften, spend
from bookings.deciding import leaving
from bookings.forms import LeaveForm
from bookings.models import Booking


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("POST", when=has_no_password)
def leave(request: AuthenticatedRequest) -> HttpResponse:
    """Ask for the password, then give upcoming bookings back and erase the account."""
    now = timezone.now()
    form = LeaveForm(request.POST if request.method == "POST" else None)
    if has_no_password(request):
        del form.fields["password"]
    upcoming = Booking.objects.of(request.user).upcoming(now).count()
    if form.is_valid():
        try:
            spend("password", login=request.user.username, now=now)
        except TooOften as error:
            return too_often(request, "bookings/leave.html", form, error, upcoming=upcoming)
        is_sure = has_no_password(request)  # or the page would have been asked for again
        if is_sure or request.user.check_password(form.cleaned_data["password"]):
            leaving.leave(request.user, by=request.user, now=now)
            logout(request)
            messages.success(request, _("Your account is deleted."))
            return redirect("home")
        form.add_error("password", _("This is not your password."))
    context = {"form": form, "upcoming": upcoming}
    return render(request, "bookings/leave.html", context, status=422 if form.errors else 200)
