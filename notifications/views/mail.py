"""Which mail a member wants."""

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.requests import AuthenticatedRequest
from notifications import preferences
from notifications.forms import MailPreferenceForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: AuthenticatedRequest) -> HttpResponse:
    """Show and change which mail a member gets; the address itself is in the profile."""
    wanted = preferences.wants_reminders(request.user)
    form = MailPreferenceForm(
        request.POST if request.method == "POST" else None, initial={"reminders": wanted}
    )
    if form.is_valid():
        preferences.choose_reminders(request.user, wanted=form.cleaned_data["reminders"])
        messages.success(request, _("Saved."))
        return redirect("notifications")
    return render(request, "notifications/notifications.html", {"form": form})


@csrf_exempt  # mail programs post too, without a cookie (RFC 8058); the signed address is the proof
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask first, then switch reminders off, or on again; opening the link changes nothing."""
    reader = preferences.reader_of(token)
    if reader is None:
        return render(
            request, "notifications/old_unsubscribe_link.html", status=HTTPStatus.NOT_FOUND
        )
    asked = request.POST.get("List-Unsubscribe")
    if asked in {"One-Click", "Undo"}:
        preferences.choose_reminders(reader, wanted=asked == "Undo")
    context = {"wanted": preferences.wants_reminders(reader), "undone": asked == "Undo"}
    status = HTTPStatus.OK
    if request.method == "POST" and asked not in {"One-Click", "Undo"}:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "notifications/unsubscribe.html", context, status=status)
