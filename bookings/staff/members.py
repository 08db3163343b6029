"""The members of a space: its tiers, who is in them, and who is invited; for its managers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitations
from accounts.forms import LoginField
from accounts.joining import Invitation, Tier
from accounts.requests import AuthenticatedRequest
from accounts.tries import TooOften
from bookings.deciding import joining
from bookings.deciding.member_sheets import BETWEEN
from bookings.finding import members
from bookings.staff.access import space_managed_by
from bookings.words.rules_in_words import sentences, title
from spaces.models import Space


class TierForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    class Meta:
        model = Tier
        fields = ("name",)
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def clean_name(self) -> str:
        """Refuse what would end a name in a file of members."""
        name: str = self.cleaned_data["name"]
        if BETWEEN in name:
            raise ValidationError(_("A name can’t have a semicolon."))
        return name


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("A link goes there. It works once, for seven days."),
    )
    tier = forms.ModelChoiceField(
        label=pgettext_lazy("one of the members", "Into the tier"),
        queryset=Tier.objects.none(),
        to_field_name="code",
        empty_label=None,
    )

    def __init__(self, tiers: Sequence[Tier], data: Any = None) -> None:
        super().__init__(data)
        chosen: Any = self.fields["tier"]
        chosen.queryset = Tier.objects.filter(pk__in=[tier.pk for tier in tiers]).order_by("name")


class MemberForm(forms.Form):
    """In which tiers somebody is, of those that the page showed."""

    login = LoginField(max_length=150)
    tier = forms.ModelMultipleChoiceField(
        queryset=Tier.objects.none(), to_field_name="code", required=False
    )
    shown = forms.ModelMultipleChoiceField(
        queryset=Tier.objects.none(), to_field_name="code", required=False
    )

    def __init__(self, space: Space, data: Any) -> None:
        super().__init__(data)
        for name in ("tier", "shown"):
            chosen: Any = self.fields[name]
            chosen.queryset = Tier.objects.filter(space=space.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_tiers(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show members and tiers; POST invites somebody. It doesn't tell who has an account."""
    space = space_managed_by(request.user, slug)
    tiers = members.tiers_of(space)
    if request.method != "POST":
        return _page(request, space, tiers, InviteForm(tiers))
    form = InviteForm(tiers, request.POST)
    if not form.is_valid():
        return _page(request, space, tiers, form, status=422)
    email, tier = form.cleaned_data["email"], form.cleaned_data["tier"]
    try:
        invitations.invite(
            email, role="MEMBER", space=space, tier=tier, by=request.user, now=timezone.now()
        )
    except TooOften as error:
        form.add_error(None, str(error))
        response = _page(request, space, tiers, form, status=429)
        response["Retry-After"] = str(error.seconds)
        return response
    except invitations.TierGone as error:
        form.add_error("tier", str(error))
        return _page(request, space, members.tiers_of(space), form, status=422)
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": email})
    return redirect("staff_tiers", slug)


def _page(
    request: AuthenticatedRequest,
    space: Space,
    tiers: Sequence[Tier],
    invite: InviteForm,
    *,
    new: TierForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    typed = request.GET.get("q", "").replace("\0", "").strip()[:150]
    among = next((tier for tier in tiers if str(tier.code) == request.GET.get("tier")), None)
    found = members.found(space, typed, among)
    shown = members.with_tiers(space, found[: members.MOST_SHOWN])
    invited = Invitation.objects.filter(space=space.pk, tier__isnull=False).select_related("tier")
    context = {
        "space": space,
        "tiers": tiers,
        "typed": typed,
        "among": among,
        "found": shown,
        "count": found.count() if len(shown) == members.MOST_SHOWN else len(shown),
        "invited": [(each, each.expires_at <= now) for each in invited.order_by("email", "pk")],
        "form": invite,
        "new": new or TierForm(),
    }
    return render(request, "staff/tiers.html", context, status=status)


@require_POST
def staff_tier_new(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Make a tier."""
    space = space_managed_by(request.user, slug)
    form = TierForm(request.POST, instance=Tier(space_id=space.pk))
    if _is_saved(form):
        messages.success(request, _("The tier “%(name)s” is made.") % {"name": form.instance.name})
        return redirect("staff_tiers", slug)
    tiers = members.tiers_of(space)
    return _page(request, space, tiers, InviteForm(tiers), new=form, status=422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_tier(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Rename a tier, or delete it; what goes with it is said first."""
    space = space_managed_by(request.user, slug)
    tier = _tier(space, code)
    form = TierForm(request.POST if "name" in request.POST else None, instance=tier)
    if request.method == "POST" and "delete" in request.POST:
        joining.delete_tier(tier, by=request.user, now=timezone.now())
        messages.success(request, _("The tier “%(name)s” is deleted.") % {"name": tier.name})
        return redirect("staff_tiers", slug)
    if request.method == "POST" and _is_saved(form):
        messages.success(request, _("The tier is called “%(name)s” now.") % {"name": tier.name})
        return redirect("staff_tiers", slug)
    tier = _tier(space, code)  # without what was typed
    rules = tier.policies.select_related("tier", "group", "shift").order_by("pk")
    context = {
        "space": space,
        "tier": tier,
        "form": form,
        "rules": [(title(policy), sentences(policy)) for policy in rules],
        "people": tier.members.filter(is_active=True).count(),
        "invited": tier.invitations.count(),
        "asks": "ask" in request.POST,
    }
    is_wrong = bool(form.errors) or (request.method == "POST" and "ask" not in request.POST)
    return render(request, "staff/tier.html", context, status=422 if is_wrong else 200)


@require_POST
def staff_member(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Put somebody into tiers and take them out of others."""
    space = space_managed_by(request.user, slug)
    form = MemberForm(space, request.POST)
    if not form.is_valid():
        raise Http404
    person = members.people_of(space).filter(username=form.cleaned_data["login"]).first()
    if person is None:
        raise Http404
    joining.set_tiers(
        person,
        form.cleaned_data["tier"],
        among=form.cleaned_data["shown"],
        by=request.user,
        now=timezone.now(),
    )
    names = ", ".join(tier.name for tier in form.cleaned_data["tier"].order_by("name"))
    named = {"person": person.get_full_name(), "tiers": names}
    said = _("%(person)s: %(tiers)s.") if names else _("%(person)s is in no tier now.")
    messages.success(request, said % named)
    return redirect(reverse("staff_tiers", args=[slug]) + "#members")


def _tier(space: Space, code: UUID) -> Tier:
    tier = Tier.objects.filter(space=space.pk, code=code).first()
    if tier is None:
        raise Http404
    return tier


def _is_saved(form: TierForm) -> bool:
    """Save a valid form; its name may have been given to another tier a moment ago."""
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:
        form.add_error("name", _("This space has a tier of that name."))
        return False
    return True
