"""Pages about the person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

import accounts.tokens as api_tokens
from accounts import access, emails, passwords, services, tries, wishes
from accounts.addresses import address_of
from accounts.forms import (
    ChangePasswordForm,
    ForgottenForm,
    LoginForm,
    NewPasswordForm,
    ProfileForm,
    RegisterForm,
    TokenForm,
)
from accounts.models import LANGUAGES
from accounts.oidc import provider
from accounts.onward import go_on, onward_query, wanted
from accounts.pages import too_often
from accounts.requests import AuthenticatedRequest
from accounts.second import sign_in
from accounts.sure import asks_again, has_no_password
from accounts.tries import TooOften


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return go_on(request)
    form = RegisterForm(_data(request))
    if form.is_valid():
        try:
            user = services.register(
                form.cleaned_data["username"],
                password=form.cleaned_data["password1"],
                email=form.cleaned_data["email"],
                language=translation.get_language() or "",  # the worker sees no browser
                address=address_of(request),
                now=timezone.now(),
            )
        except services.LoginRefused as error:
            form.add_error("username", str(error))
        except TooOften as error:
            return too_often(request, "accounts/register.html", form, error, **wanted(request))
        else:
            auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
            messages.success(request, _("You have an account and are signed in."))
            return wishes.carry_out(request) or go_on(request)
    return _page(request, "accounts/register.html", form, **wanted(request))


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return go_on(request)
    if request.method != "POST" and sign_in.half_of(request, now=timezone.now()):
        return redirect(reverse("second", query=request.GET))
    form = LoginForm(request, _data(request))
    if form.is_valid():
        user = form.get_user()
        if user.second_factor_at is not None:
            sign_in.begin(request, user, now=timezone.now())
            return redirect(reverse("second", query=onward_query(request)))
        auth.login(request, user)
        return wishes.carry_out(request) or go_on(request)
    oidc = settings.OIDC["name"] if provider.is_on() else ""
    return _page(request, "accounts/login.html", form, oidc=oidc, **wanted(request))


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    messages.success(request, _("You are signed out."))
    response = redirect("home")
    # Browsers keep boards, and the staff's days for reading without a connection: neither the Back
    # button nor a lost connection must show a name to whoever sits there next.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: AuthenticatedRequest) -> HttpResponse:
    form = ProfileForm(_data(request), instance=request.user)
    if form.is_valid():
        services.change(request.user, **form.cleaned_data)
        chosen = form.cleaned_data["language"] or translation.get_language()
        with translation.override(chosen):
            messages.success(request, _("Your profile is saved."))
        return redirect("profile")
    return _page(request, "accounts/profile.html", form, waiting=emails.waiting(request.user))


@never_cache
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("GET", "HEAD", "POST", when=has_no_password)
def password(request: AuthenticatedRequest) -> HttpResponse:
    """Change the password; who came by a provider and has none chooses the first one."""
    has_one = request.user.has_usable_password()
    form = (ChangePasswordForm if has_one else NewPasswordForm)(request.user, _data(request))
    left = access.left_open(request.user, now=timezone.now())
    ways = [_inside_a_sentence(str(found.kind.title)) for found in left]
    shown = {"ways": ways, "has_one": has_one}
    if request.method == "POST":
        try:
            tries.spend("password", login=request.user.username, now=timezone.now())
        except TooOften as error:
            return too_often(request, "accounts/password.html", form, error, **shown)
    if form.is_valid():
        user = form.save(commit=False)
        passwords.change(user, password=user.password, by=user, now=timezone.now())
        auth.update_session_auth_hash(request, user)  # ends other sessions, keeps this one
        said = (
            _("Your password is changed. Other devices are signed out.")
            if has_one
            else _("You have a password now. Other devices are signed out.")
        )
        messages.success(request, said)
        return redirect("stays" if access.left_open(user, now=timezone.now()) else "profile")
    return _page(request, "accounts/password.html", form, **shown)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Have a link for a new password sent; the answer doesn't reveal who has an account."""
    form = ForgottenForm(_data(request))
    if not form.is_valid():
        return _page(request, "accounts/forgotten.html", form)
    who, now = form.cleaned_data["who"], timezone.now()
    try:
        tries.spend("forgotten", now=now, address=address_of(request), login=who)
    except TooOften as error:
        return too_often(request, "accounts/forgotten.html", form, error)
    passwords.ask(who, language=translation.get_language() or settings.LANGUAGE_CODE, now=now)
    words = _("If we know you and your address, an e-mail with a link is on its way to you.")
    messages.success(request, words)
    # What the visitor came for is in the URL: see `accounts.wishes`.
    return redirect(reverse("login", query=request.GET))


@login_not_required
@never_cache
@sensitive_post_parameters("new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest, key: str) -> HttpResponse:
    """Let the holder of the link from the mail choose a password without the old one."""
    user = passwords.owner_of(key)
    if user is None:
        return render(request, "accounts/old_link.html", status=404)
    form = NewPasswordForm(user, _data(request))
    if form.is_valid():
        now = timezone.now()
        ended = passwords.choose_by_mail(user, password=form.save(commit=False).password, now=now)
        messages.success(request, _("Your password is changed. Sign in with it."))
        left = access.left_open(user, now=now)
        for words in access.told(ended, left):
            messages.info(request, words)
        return redirect(reverse("login", query={"next": reverse("stays")} if left else None))
    return _page(request, "accounts/new_password.html", form, login=user.username)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("POST")
def tokens(request: AuthenticatedRequest) -> HttpResponse:
    """List the person's API tokens; make one and show its text.

    The text appears in the answer to the POST and nowhere else: to show it after a redirect, it
    would have to be stored until then. If a reload submits the form again, its key is already
    known.
    """
    now = timezone.now()
    form = TokenForm(_data(request))
    made, text, status = None, "", 200
    if form.is_valid():
        lifetime = form.cleaned_data["lifetime"]
        try:
            tries.spend("token", now=now, address=address_of(request), login=request.user.username)
            made, text = api_tokens.issue(
                request.user,
                name=form.cleaned_data["name"],
                scope=form.cleaned_data["scope"],
                space=form.cleaned_data["space"],
                expires_at=now + lifetime if lifetime else None,
                now=now,
                code=form.cleaned_data["request_key"],
            )
        except api_tokens.TooManyTokens as error:
            form.add_error(None, str(error))
        except TooOften as error:
            return too_often(request, "accounts/tokens.html", form, error, **_tokens(request, now))
        except api_tokens.AlreadyMade:
            words = _(
                "This token has already been made. If you didn’t copy it, revoke it and "
                "make another."
            )
            messages.warning(request, words)
            return redirect("tokens")
        else:
            form, status = TokenForm(), 201
    context = {"form": form, "made": made, "text": text, **_tokens(request, now)}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else status)


def _tokens(request: AuthenticatedRequest, now: datetime) -> dict[str, Any]:
    """Return what the tokens page always shows."""
    return {
        "tokens": [(token, token.has_expired(now)) for token in api_tokens.of(request.user)],
        "api": request.build_absolute_uri(reverse("api:api-root")),
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then delete a token."""
    token = get_object_or_404(request.user.api_tokens, code=code)
    if request.method != "POST":
        return render(request, "accounts/revoke.html", {"token": token})
    api_tokens.revoke(token)
    messages.success(request, _("Revoked. Programs that use it are refused from now on."))
    return redirect("tokens")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stays(request: AuthenticatedRequest) -> HttpResponse:
    """Show what works without the password; one click closes all of it."""
    now = timezone.now()
    if request.method == "POST":
        access.close_all(request.user, now=now)
        words = _("Revoked. Programs and calendars that used them are refused from now on.")
        messages.success(request, words)
        return redirect("profile")
    ways = access.left_open(request.user, now=now)
    return render(request, "accounts/stays.html", {"ways": ways})


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Store the language in a cookie, for visitors, and in the profile, for all devices."""
    code = request.POST.get("language", "")
    if code not in dict(LANGUAGES):
        raise BadRequest("unknown language")
    if request.user.is_authenticated:
        services.change(request.user, language=code)
    response = go_on(request)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=60 * 60 * 24 * 365,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _inside_a_sentence(title: str) -> str:
    """Write a title with a small letter, unless it begins with an abbreviation."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)
