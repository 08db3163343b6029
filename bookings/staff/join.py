"""Where the link of an invitation leads: accept it, with an account or by making one."""

from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import invitations, services
from accounts.addresses import address_of
from accounts.forms import RegisterForm
from accounts.joining import Invitation
from accounts.models import User
from accounts.tries import TooOften
from bookings.deciding import joining
from spaces.models import Space

Role = Invitation.Role


class JoinForm(RegisterForm):
    """A login and a password; the address is the one that the link came to."""

    def __init__(self, invitation: Invitation, data: Any = None) -> None:
        super().__init__(data)
        if invitation.email:
            del self.fields["email"]
            self.instance.email = invitation.email


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, key: str) -> HttpResponse:
    response = _join(request, key)
    response["X-Robots-Tag"] = "noindex"
    return response


def _join(request: HttpRequest, key: str) -> HttpResponse:
    invitation = invitations.read(key, now=timezone.now())
    if invitation is None:
        return _gone(request)
    if isinstance(request.user, User):
        if request.method != "POST":
            return _page(request, invitation)
        try:
            joining.accept(invitation, by=request.user, now=timezone.now())
        except invitations.NoLongerValid:
            return _gone(request)
        return _welcome(request, invitation)
    form = JoinForm(invitation, request.POST if request.method == "POST" else None)
    return _sign_up(request, invitation, form)


def _sign_up(request: HttpRequest, invitation: Invitation, form: JoinForm) -> HttpResponse:
    if not form.is_valid():
        return _page(request, invitation, form=form, status=422 if form.errors else 200)
    now = timezone.now()

    def also(user: User) -> None:
        invitations.prove_address(user, invitation, now=now)
        invitations.accept(invitation, by=user, now=now)

    try:
        user = services.register(
            form.cleaned_data["username"],
            password=form.cleaned_data["password1"],
            email=invitation.email or form.cleaned_data.get("email", ""),
            language=translation.get_language() or "",
            address=address_of(request),
            now=now,
            also=also,
        )
    except services.LoginRefused as error:
        form.add_error("username", str(error))
        return _page(request, invitation, form=form, status=422)
    except TooOften as error:
        form.add_error(None, str(error))
        response = _page(request, invitation, form=form, status=429)
        response["Retry-After"] = str(error.seconds)
        return response
    except invitations.NoLongerValid:
        return _gone(request)
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return _welcome(request, invitation)


def _page(
    request: HttpRequest,
    invitation: Invitation,
    *,
    form: JoinForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"invitation": invitation, "space": invitation.space, "form": form}
    return render(request, "staff/join.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "staff/old_invitation.html", status=404)


def _welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    space: Space | None = invitation.space
    if space is None:
        messages.success(request, _("This site is yours."))
        return redirect("home" if Space.objects.exists() else "staff_setup")
    named = {"space": space.name, "tier": invitation.tier}
    if invitation.role == Role.MEMBER:
        messages.success(request, _("You are a member of %(space)s: %(tier)s.") % named)
        return redirect("board" if space.is_active else "home", *[space.slug][: space.is_active])
    messages.success(request, _("You are on the staff of %(space)s.") % named)
    return redirect("staff_day", space.slug)
