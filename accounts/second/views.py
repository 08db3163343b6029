"""The second step of signing in, and a person's second factors."""

from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import tries, wishes
from accounts.addresses import address_of
from accounts.factors import Authenticator
from accounts.models import User
from accounts.onward import go_on, next_of, wanted
from accounts.pages import too_often
from accounts.requests import AuthenticatedRequest
from accounts.second import codes, services, sign_in, totp
from accounts.second.forms import AppForm, CodeForm
from accounts.sure import asks_again

KEY_SECONDS = 60 * 60  # how long the page with a new app's key can be used

ADMIN = "/admin/"

ask_again = asks_again("GET", "HEAD", "POST")


@login_not_required
@never_cache
@sensitive_post_parameters("passcode")
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """Take the second step: a code from the app, or a recovery code."""
    if request.user.is_authenticated:
        return go_on(request)
    now = timezone.now()
    user = sign_in.half_of(request, now=now)
    if user is None:
        return redirect(reverse("login", query=request.GET))
    form = CodeForm(request.POST if request.method == "POST" else None)
    page = "accounts/second.html"
    context = {**wanted(request), "login": user.username, "has_passkeys": user.passkeys.exists()}
    if request.method == "POST":
        try:
            tries.spend("code", login=user.username, address=address_of(request), now=now)
        except tries.TooOften as error:
            return too_often(request, page, form, error, **context)
    if form.is_valid():
        if services.accepts(user, form.cleaned_data["passcode"], now=now):
            tries.forget("code", login=user.username)
            sign_in.finish(request, user)
            _count_codes(request, user, form.cleaned_data["passcode"])
            return wishes.carry_out(request) or go_on(request)
        form.add_error("passcode", _("This code is wrong, or was used already."))
    return _page(request, page, form, **context)


def _count_codes(request: HttpRequest, user: User, text: str) -> None:
    """After a recovery code, say how many are left."""
    if len(text.strip()) > totp.DIGITS + 1:
        left = codes.left(user)
        messages.warning(
            request,
            _("You used a recovery code. Unused ones: %(left)d. Make new ones in your profile.")
            % {"left": left},
        )


def _has_app(user: User) -> bool:
    return Authenticator.objects.filter(user=user).exists()


@never_cache
@require_http_methods(["GET", "HEAD"])
def factors(request: AuthenticatedRequest) -> HttpResponse:
    """Show what the person has, what is missing, and what happened to it."""
    user = request.user
    return render(
        request,
        "accounts/factors.html",
        {
            "app": Authenticator.objects.filter(user=user).first(),
            "passkeys": list(user.passkeys.order_by("created_at", "pk")),
            "left": codes.left(user),
            "identities": list(user.identities.order_by("created_at", "pk")),
            "oidc": settings.OIDC["name"] if settings.OIDC["issuer"] else "",
            "events": list(user.factor_events.select_related("actor").order_by("-at", "-pk")[:20]),
            "is_missing": services.is_missing(user, in_admin=next_of(request).startswith(ADMIN)),
            **wanted(request),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("passcode", "key")
@ask_again
def factor_app(request: AuthenticatedRequest) -> HttpResponse:
    """Show a new key, as a QR code and for typing; keep it once its first code was right."""
    user, now = request.user, timezone.now()
    if _has_app(user):
        messages.info(request, _("Your authenticator app is set up."))
        return redirect("factors")
    known = totp.unseal(request.POST.get("key", ""), seconds=KEY_SECONDS)
    key = known or totp.new_key()
    data = None
    if request.method == "POST":
        data = request.POST.copy()
        data["key"] = totp.seal(key)
    form = AppForm(data, initial={"key": totp.seal(key)})
    if data is not None:
        try:
            tries.spend("code", login=user.username, address=address_of(request), now=now)
        except tries.TooOften as error:
            return too_often(request, "accounts/factor_app.html", form, error, **_shown(user, key))
    if form.is_valid():
        try:
            code = form.cleaned_data["passcode"]
            made = services.add_app(user, key, code, now=now) if known else None
        except services.AlreadySetUp as error:
            messages.info(request, str(error))
            return redirect("factors")
        if made is not None:
            tries.forget("code", login=user.username)
            sign_in.passed(request)
            return added(request, _("Your authenticator app is set up."), made)
        form.add_error("passcode", _wrong(is_known=known is not None))
    return _page(request, "accounts/factor_app.html", form, **_shown(user, key), **wanted(request))


def _wrong(*, is_known: bool) -> str:
    if not is_known:
        return _("This page was open for too long. Scan the code again: it is a new one.")
    return _("This code is wrong. Look whether the phone’s clock is right, and type the newest.")


def _shown(user: User, key: bytes) -> dict[str, Any]:
    drawn = segno.make_qr(totp.address(key, user.username)).svg_inline(
        omitsize=True, border=2, svgclass=None, lineclass=None, dark="#000", light="#fff"
    )
    svg = mark_safe(drawn)  # noqa: S308 - made of modules, not of text
    return {"svg": svg, "typed": totp.typed(key), "uri": totp.address(key, user.username)}


def added(request: HttpRequest, words: str, made: list[str]) -> HttpResponse:
    """After the first factor, show the recovery codes; only this answer ever has them."""
    if not made:
        messages.success(request, words)
        return redirect("factors")
    context = {"codes": made, "words": words, **wanted(request)}
    return render(request, "accounts/codes.html", context, status=201)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@ask_again
def factor_app_remove(request: AuthenticatedRequest) -> HttpResponse:
    """Ask first, then forget the app's key."""
    if not _has_app(request.user):
        return redirect("factors")
    if request.method == "POST":
        try:
            services.remove_app(request.user, now=timezone.now())
        except services.Needed as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Removed. Codes from the app don’t work any more."))
        return redirect("factors")
    return render(request, "accounts/factor_app_remove.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@ask_again
def factor_codes(request: AuthenticatedRequest) -> HttpResponse:
    """Replace the recovery codes, and show the new ones this once."""
    if request.user.second_factor_at is None:
        messages.info(request, _("Set up an app or a passkey first."))
        return redirect("factors")
    if request.method != "POST":
        left = codes.left(request.user)
        return render(request, "accounts/factor_codes.html", {"left": left})
    made = services.renew_codes(request.user, now=timezone.now())
    return added(request, _("The earlier codes don’t work any more."), made)


def _page(request: HttpRequest, template: str, form: Any, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)
