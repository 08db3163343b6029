"""The page that asks again who it is."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import sure as asked
from accounts import tries
from accounts.oidc import provider
from accounts.onward import next_of, wanted
from accounts.pages import too_often
from accounts.requests import AuthenticatedRequest
from accounts.second import passkeys
from accounts.second.forms import SureForm
from accounts.second.passkeys import Purpose

PAGE = "accounts/sure.html"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sure(request: AuthenticatedRequest) -> HttpResponse:
    """Ask for the password; what was sent before is shown afterwards, ready to send again."""
    user, now = request.user, timezone.now()
    context = {**wanted(request), "has_passkeys": user.passkeys.exists()}
    if provider.is_on() and user.identities.exists():
        context["oidc"] = settings.OIDC["name"]
    if request.method != "POST":
        return render(request, PAGE, {"form": SureForm(), **context})
    form = SureForm(request.POST)
    is_right = False
    try:
        tries.spend("password", login=user.username, now=now)
    except tries.TooOften as error:
        return too_often(request, PAGE, form, error, **context)
    if answer := request.POST.get("credential", ""):
        try:
            passkeys.owner_of(request, Purpose.SURE, answer, now=now, user=user)
            is_right = True
        except passkeys.Refused:
            form.add_error(None, _("This passkey was not accepted. Try again, or another way."))
    elif form.is_valid():
        is_right = user.check_password(form.cleaned_data["password"])
        if not is_right:
            form.add_error("password", _("This is not your password."))
    if is_right:
        asked.answered(request, now=now)
        return asked.go_on(request, next_of(request) or reverse("home"))
    return render(request, PAGE, {"form": form, **context}, status=422)
