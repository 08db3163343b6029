"""The people of a space: its staff and who is invited to join them, for its managers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitations, teams
from accounts.forms import LoginField
from accounts.joining import Invitation
from accounts.models import StaffRole, User
from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again
from accounts.tries import TooOften
from bookings.staff.access import space_managed_by
from bookings.staff.trail import trail_in_words
from spaces.models import Space


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("A link goes there. It works once, for seven days."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("As"),
        choices=StaffRole.Role.choices,
        help_text=StaffRole._meta.get_field("role").help_text,
    )


class InvitationForm(forms.Form):
    """What to do with one of the invitations."""

    code = forms.UUIDField()
    act = forms.ChoiceField(choices=[("resend", "resend"), ("revoke", "revoke")])


class RoleForm(forms.Form):
    """Which role one of the staff gets; none for leaving."""

    login = LoginField(max_length=150)
    role = forms.ChoiceField(choices=StaffRole.Role.choices, required=False)


def makes_a_manager(request: HttpRequest) -> bool:
    return request.POST.get("role") == StaffRole.Role.MANAGER


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("POST", when=makes_a_manager)
def staff_people(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show the staff; POST invites somebody. The answer doesn't tell who has an account."""
    space = space_managed_by(request.user, slug)
    if request.method != "POST":
        return _page(request, space, InviteForm())
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, space, form, status=422)
    email = form.cleaned_data["email"]
    role, now = form.cleaned_data["role"], timezone.now()
    try:
        invitations.invite(email, role=role, space=space, by=request.user, now=now)
    except TooOften as error:
        form.add_error(None, str(error))
        response = _page(request, space, form, status=429)
        response["Retry-After"] = str(error.seconds)
        return response
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": email})
    return redirect("staff_people", space.slug)


@require_POST
def staff_invitation(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Send an invitation again, or revoke it."""
    space = space_managed_by(request.user, slug)
    form = InvitationForm(request.POST)
    invitation = None
    if form.is_valid():
        found = Invitation.objects.filter(space=space, code=form.cleaned_data["code"])
        invitation = found.select_related("tier").first()
    if invitation is None:
        raise Http404
    named = {"email": invitation.email}
    back = "staff_people" if invitation.tier is None else "staff_tiers"
    if form.cleaned_data["act"] == "revoke":
        invitations.revoke(invitation, by=request.user, now=timezone.now())
        messages.success(request, _("The invitation to %(email)s is revoked.") % named)
        return redirect(back, space.slug)
    try:
        invitations.resend(invitation, by=request.user, now=timezone.now())
    except (TooOften, invitations.NoLongerValid) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("A new link is on its way to %(email)s.") % named)
    return redirect(back, space.slug)


@require_POST
@asks_again("POST", when=makes_a_manager)
def staff_role(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Change the role of one of the staff, or take it away."""
    space = space_managed_by(request.user, slug)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Http404
    login = form.cleaned_data["login"]
    person = User.objects.filter(username=login, staff_roles__space=space).first()
    if person is None:
        raise Http404
    role = form.cleaned_data["role"] or None
    named = {"name": person.get_full_name()}
    try:
        teams.change_role(person, space=space, role=role, by=request.user, now=timezone.now())
    except teams.LastManager as error:
        messages.error(request, str(error))
        return redirect("staff_people", space.slug)
    if role is None:
        messages.success(request, _("%(name)s is no longer on the staff.") % named)
    elif role == StaffRole.Role.MANAGER:
        messages.success(request, _("%(name)s is a manager now.") % named)
    else:
        messages.success(request, _("%(name)s is a host now.") % named)
    is_out = person == request.user and role != StaffRole.Role.MANAGER
    if is_out and not request.user.is_superuser:
        return redirect("home" if role is None else "staff_day", *[space.slug][: role is not None])
    return redirect("staff_people", space.slug)


def _page(
    request: AuthenticatedRequest, space: Space, form: InviteForm, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    staff = StaffRole.objects.filter(space=space).select_related("user").order_by("user__username")
    invited = Invitation.objects.filter(space=space, tier=None).order_by("email", "pk")
    context: dict[str, Any] = {
        "space": space,
        "form": form,
        "staff": list(staff),
        "invited": [(each, each.expires_at <= now) for each in invited],
        "trail": trail_in_words(space),
    }
    return render(request, "staff/people.html", context, status=status)
