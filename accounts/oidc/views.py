"""There and back: to the provider, and in by what it says."""

import logging
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import sure, tries
from accounts.addresses import address_of
from accounts.models import User
from accounts.oidc import provider, services
from accounts.oidc.provider import Begun, Claims
from accounts.onward import next_of
from accounts.requests import AuthenticatedRequest
from accounts.second import sign_in
from accounts.sure import asks_again

BEGUN, WAITING = "oidc_begun", "oidc_waiting"
FOR = timedelta(minutes=10)

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def oidc(request: HttpRequest) -> HttpResponse:
    """Go to the provider. A link and not a form: our policy lets no form lead to another site."""
    if not provider.is_on():
        raise Http404
    now, begun = timezone.now(), Begun.new()
    is_known = request.user.is_authenticated
    try:
        tries.spend("code", address=address_of(request), now=now)
        there = provider.where_to(begun, back=_back(), asks_again=is_known)
    except tries.TooOften as error:
        return _sorry(request, str(error), status=429, seconds=error.seconds)
    except provider.Trouble as trouble:
        return _unreachable(request, trouble)
    request.session[BEGUN] = {
        **asdict(begun),
        "at": now.isoformat(),
        "next": next_of(request),
        "is_known": is_known,
    }
    return redirect(there)


def _back() -> str:
    return settings.SITE_URL + reverse("oidc_back")


@login_not_required
@never_cache
@require_safe
def oidc_back(request: HttpRequest) -> HttpResponse:
    """Come back from the provider, once, with what was sent along."""
    if not provider.is_on():
        raise Http404
    now = timezone.now()
    kept = request.session.pop(BEGUN, None)
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    if not kept or not constant_time_compare(kept["state"], state) or _is_old(kept, now):
        return _sorry(request, _("That took too long, or was begun elsewhere. Please try again."))
    if not code:
        return _sorry(request, _("The other site didn’t say who you are."))
    begun = Begun(kept["state"], kept["nonce"], kept["verifier"])
    try:
        claims = provider.who(code, begun, back=_back(), now=now)
        services.check(claims)
    except provider.Trouble as trouble:
        return _unreachable(request, trouble)
    except services.Unwanted as error:
        return _sorry(request, str(error), status=403)
    onward = kept["next"] or reverse("home")
    if isinstance(request.user, User):
        return _again(request, request.user, claims, onward, now)
    return _come_in(request, claims, onward, now)


def _come_in(request: HttpRequest, claims: Claims, onward: str, now: datetime) -> HttpResponse:
    user = services.owner_of(claims)
    if user is None and services.person_at(claims):
        request.session[WAITING] = {**asdict(claims), "at": now.isoformat()}
        messages.info(
            request,
            _("You have an account here. Sign in with its password once, to link the two."),
        )
        return redirect(reverse("login", query={"next": reverse("oidc_link")}))
    if user is None:
        language = translation.get_language() or ""
        user = services.join(claims, language=language, now=now)
    if user is None:
        words = _("Nobody here has that account. Sign in with your login, or sign up.")
        return _sorry(request, words, status=403)
    if user.second_factor_at is not None:
        sign_in.begin(request, user, now=now)
        return redirect(reverse("second", query={"next": onward}))
    sign_in.enter(request, user)
    return redirect(onward)


def _again(
    request: HttpRequest, user: User, claims: Claims, onward: str, now: datetime
) -> HttpResponse:
    """Take it for an answer to who it is, from somebody who has just said so there."""
    owner, at = services.owner_of(claims), claims.signed_in_at
    is_fresh = at is not None and now - FOR < datetime.fromtimestamp(at, tz=now.tzinfo)
    if owner is not None and owner.pk == user.pk and is_fresh:
        sure.answered(request, now=now)
        return sure.go_on(request, onward)
    if owner is None and services.may_link(user, claims):
        request.session[WAITING] = {**asdict(claims), "at": now.isoformat()}
        return redirect("oidc_link")
    return _sorry(request, _("That is somebody else’s account, or you were not asked again there."))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("GET", "HEAD", "POST")
def oidc_link(request: AuthenticatedRequest) -> HttpResponse:
    """Ask first, then let the provider's account sign this person in from now on."""
    now = timezone.now()
    kept: dict[str, Any] | None = request.session.get(WAITING)
    if not kept or _is_old(kept, now):
        messages.info(request, _("There is nothing to link. Begin on the page to sign in."))
        return redirect("factors")
    claims = Claims(**{name: value for name, value in kept.items() if name != "at"})
    if not services.may_link(request.user, claims):
        del request.session[WAITING]
        words = _("That account has another address than the one that you confirmed here.")
        return _sorry(request, words, status=403)
    if request.method != "POST":
        context = {"email": claims.email, "provider": settings.OIDC["name"]}
        return render(request, "accounts/oidc_link.html", context)
    del request.session[WAITING]
    try:
        services.link(request.user, claims, now=now)
    except services.Taken as error:
        return _sorry(request, str(error), status=409)
    messages.success(request, _("Linked. You can sign in that way from now on."))
    return redirect("factors")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("GET", "HEAD", "POST")
def oidc_unlink(request: AuthenticatedRequest) -> HttpResponse:
    """Ask first, then sign in without the provider; not somebody who has no other way."""
    user = request.user
    if not user.identities.exists():
        return redirect("factors")
    if not user.has_usable_password() and not user.passkeys.exists():
        messages.error(request, _("Add a passkey first: without it you couldn’t sign in any more."))
        return redirect("factors")
    if request.method != "POST":
        return render(request, "accounts/oidc_unlink.html", {"provider": settings.OIDC["name"]})
    services.unlink(user, now=timezone.now())
    messages.success(request, _("Unlinked. That account opens nothing here any more."))
    return redirect("factors")


def _is_old(kept: dict[str, Any], now: datetime) -> bool:
    return now - datetime.fromisoformat(kept["at"]) > FOR


def _unreachable(request: HttpRequest, trouble: provider.Trouble) -> HttpResponse:
    logger.warning("OpenID Connect: %s", trouble)
    words = _("The other site can’t be asked right now. Sign in with your login, or try again.")
    return _sorry(request, words, status=502)


def _sorry(
    request: HttpRequest, words: str, *, status: int = 400, seconds: int | None = None
) -> HttpResponse:
    page = render(request, "accounts/oidc_sorry.html", {"words": words}, status=status)
    if seconds is not None:
        page.headers["Retry-After"] = str(seconds)
    return page
