"""Pages about a person's e-mail address: changing it, and confirming it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import emails, tries
from accounts.forms import EmailForm
from accounts.pages import too_often
from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again, has_no_password

PAGE = "accounts/email.html"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("POST", when=has_no_password)
def email(request: AuthenticatedRequest) -> HttpResponse:
    """Ask for the password; the new address waits until somebody follows the link in a mail."""
    user, now = request.user, timezone.now()
    if request.method != "POST":
        return render(request, PAGE, {"form": EmailForm(user, initial={"email": user.email})})
    form = EmailForm(user, request.POST)
    try:
        tries.spend("password", login=user.username, now=now)
        if not form.is_valid():
            return render(request, PAGE, {"form": form}, status=422)
        emails.ask(user, form.cleaned_data["email"], now=now)
    except tries.TooOften as error:
        return too_often(request, PAGE, form, error)
    messages.success(request, _said(user.email, form.cleaned_data["email"]))
    return redirect("profile")


def _said(old: str, new: str) -> str:
    if new == old:
        return _("Your address stays %(address)s.") % {"address": old} if old else _("Saved.")
    if not new:
        return _("Mesto won’t write to you any more.")
    return _(
        "An e-mail with a link is on its way to %(address)s. Follow it to start using the address."
    ) % {"address": new}


@require_POST
def email_again(request: AuthenticatedRequest) -> HttpResponse:
    """Send the link once more."""
    try:
        address = emails.ask_again(request.user, now=timezone.now())
    except tries.TooOften as error:
        messages.error(request, str(error))
        return redirect("profile")
    if address:
        words = _("An e-mail with a link is on its way to %(address)s.") % {"address": address}
        messages.success(request, words)
    return redirect("profile")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email(request: HttpRequest, key: str) -> HttpResponse:
    """Ask first, then use the address; opening the link, as mail scanners do, changes nothing."""
    now = timezone.now()
    found = emails.read(key)
    if request.method == "POST" and found and emails.confirm(*found, now=now):
        words = _("Confirmed: Mesto writes to %(address)s.") % {"address": found[1]}
        messages.success(request, words)
        return redirect("profile" if request.user.is_authenticated else "home")
    if found is None:
        return render(request, "accounts/old_email_link.html", status=404)
    user, address = found
    context = {"address": address, "login": user.username}
    return render(request, "accounts/confirm_email.html", context)
