"""Passkeys: added, removed, and used to sign in. The browser's part is in static/js/passkeys.js."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import sure, tries, wishes
from accounts.addresses import address_of
from accounts.models import User
from accounts.onward import go_on, onward_query, wanted
from accounts.requests import AuthenticatedRequest
from accounts.second import passkeys, services, sign_in
from accounts.second.forms import PasskeyForm, PasskeyNameForm
from accounts.second.passkeys import Purpose
from accounts.second.views import added, ask_again


@login_not_required
@never_cache
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser asks a passkey for: to sign in, to go on, or to be a new one."""
    now = timezone.now()
    try:
        purpose = Purpose(request.POST.get("for", ""))
    except ValueError:
        return JsonResponse({"error": _("Reload the page and try again.")}, status=400)
    user = _asked(request, purpose)
    if user is None and purpose is not Purpose.SIGN_IN:
        return JsonResponse({"error": _("Sign in first.")}, status=403)
    if purpose is Purpose.ADD and not sure.is_sure(request, now=now):
        return JsonResponse({"error": _("Reload the page and try again.")}, status=403)
    try:
        tries.spend("code", address=address_of(request), now=now)
    except tries.TooOften as error:
        answer = JsonResponse({"error": str(error)}, status=429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    made = passkeys.options(request, purpose, user, now=now)
    return HttpResponse(made, content_type="application/json")


def _asked(request: HttpRequest, purpose: Purpose) -> User | None:
    """Return whose passkeys are asked for; nobody's in particular for signing in with one alone."""
    if purpose is Purpose.SECOND:
        return sign_in.half_of(request, now=timezone.now())
    if purpose is Purpose.SIGN_IN or not isinstance(request.user, User):
        return None
    return request.user


@login_not_required
@never_cache
@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey: alone, or as the second step after the password."""
    if request.user.is_authenticated:
        return go_on(request)
    now = timezone.now()
    half = sign_in.half_of(request, now=now)
    back = redirect(reverse("second" if half else "login", query=onward_query(request)))
    purpose = Purpose.SECOND if half else Purpose.SIGN_IN
    try:
        if half is not None:
            tries.spend("code", login=half.username, now=now)
        answer = request.POST.get("credential", "")
        user = passkeys.owner_of(request, purpose, answer, now=now, user=half)
    except tries.TooOften as error:
        messages.error(request, str(error))
        return back
    except passkeys.Refused:
        messages.error(request, _("This passkey was not accepted. Try again, or another way."))
        return back
    if half is not None:
        tries.forget("code", login=half.username)
    sign_in.finish(request, user)
    return wishes.carry_out(request) or go_on(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@ask_again
def passkey_add(request: AuthenticatedRequest) -> HttpResponse:
    """Name a new passkey; the browser makes it."""
    now = timezone.now()
    page = "accounts/passkey_add.html"
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            made = passkeys.add(request, request.user, sent["name"], sent["credential"], now=now)
        except passkeys.Refused:
            form.add_error(None, _("The device made no passkey that we can use. Try again."))
        else:
            sign_in.passed(request)
            return added(request, _("Your passkey is added."), made)
    status = 422 if form.errors else 200
    return render(request, page, {"form": form, **wanted(request)}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def passkey_name(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Call a passkey something else."""
    passkey = get_object_or_404(request.user.passkeys, code=code)
    sent = request.POST if request.method == "POST" else None
    form = PasskeyNameForm(sent, initial={"name": passkey.name})
    if form.is_valid():
        services.rename_passkey(request.user, passkey, form.cleaned_data["name"])
        messages.success(request, _("Saved."))
        return redirect("factors")
    status = 422 if form.errors else 200
    return render(request, "accounts/passkey_name.html", {"form": form}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@ask_again
def passkey_remove(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then forget a passkey."""
    passkey = get_object_or_404(request.user.passkeys, code=code)
    if request.method != "POST":
        return render(request, "accounts/passkey_remove.html", {"passkey": passkey})
    try:
        services.remove_passkey(request.user, passkey, now=timezone.now())
    except services.Needed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Removed. This passkey opens nothing here any more."))
    return redirect("factors")
