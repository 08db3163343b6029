"""The rules of a space as sentences, changed in people's units; whom they hit is said first."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.joining import Tier
from accounts.requests import AuthenticatedRequest
from bookings.deciding import rulings
from bookings.deciding.furnishing import shifts_of
from bookings.deciding.stranding import Act, Question
from bookings.staff.access import space_managed_by, space_run_by
from bookings.staff.rule_form import RuleForm
from bookings.staff.settling import MOST_LISTED
from bookings.staff.sure import ReasonedForm, described, happened
from bookings.words.rules_in_words import sentences, title
from spaces.models import Policy, Space


@never_cache
@require_safe
def staff_rules(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show the rules to the staff; managers change them."""
    space = space_run_by(request.user, slug)
    rules = [
        (number, title(policy), sentences(policy))
        for number, policy in enumerate(_policies(space), 1)
    ]
    is_manager = Space.objects.managed_by(request.user).filter(pk=space.pk).exists()
    context = {"space": space, "rules": rules, "is_manager": is_manager}
    return render(request, "staff/rules.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_rule(request: AuthenticatedRequest, slug: str, number: int) -> HttpResponse:
    """Change the rule with this number, or make one (0). POST shows whom it hits; then it asks."""
    space = space_managed_by(request.user, slug)
    policies = _policies(space)
    if number > len(policies):
        raise Http404
    policy = policies[number - 1] if number else _new(request, space)
    seen = policy.changed_at if number else None
    sure = ReasonedForm(request.POST)
    is_back = request.POST.get("choice") == "back"
    if request.method != "POST":
        return _form(request, space, number, RuleForm(space=space, instance=policy), seen)
    seen = _seen(request) if number else None
    if "remove" in request.POST and number and not is_back:
        return _settle(request, space, policy, sure, seen, None)
    form = RuleForm(request.POST, space=space, instance=policy)
    if not form.is_valid() or is_back:
        return _form(request, space, number, form, seen, status=422 if form.errors else 200)
    return _settle(request, space, policy, sure, seen, form)


def _new(request: AuthenticatedRequest, space: Space) -> Policy:
    """Return a new rule, for the tier or the shift that the address names."""
    tiers = Tier.objects.filter(space=space.pk)
    tier = next((tier for tier in tiers if str(tier.code) == request.GET.get("tier")), None)
    shifts = enumerate(shifts_of(space), 1)
    shift = next((shift for n, shift in shifts if str(n) == request.GET.get("shift")), None)
    return Policy(space_id=space.pk, tier=tier, shift=shift)


def _settle(
    request: AuthenticatedRequest,
    space: Space,
    policy: Policy,
    sure: ReasonedForm,
    seen: Any,
    form: RuleForm | None,
) -> HttpResponse:
    """Carry out an answer, or show whom the change would hit."""
    now = timezone.now()
    if answer := sure.answer():
        act = Act(by=request.user, now=now, answer=answer)
        carry_out = rulings.remove if form is None else rulings.save
        try:
            outcome = carry_out(space, policy, act, seen=seen)
        except rulings.ChangedMeanwhile:
            messages.error(
                request, _("Somebody changed this rule meanwhile. Look, then try again.")
            )
            return redirect("staff_rules", space.slug)
        except Question:
            pass  # somebody booked since it was shown: it is shown again
        else:
            done = _("The rule is removed.") if form is None else _("The rule is saved.")
            messages.success(request, " ".join([done, *happened(outcome)]))
            return redirect("staff_rules", space.slug)
    act = Act(by=request.user, now=now)

    def change() -> None:
        if form is None:
            Policy.objects.filter(pk=policy.pk).delete()
        else:
            policy.save()

    pk = policy.pk
    found = rulings.preview(space, policy, change, act)
    policy.pk = pk  # what was taken back has no key
    return _ask(request, space, policy, sure, found, is_removal=form is None)


def _ask(
    request: AuthenticatedRequest,
    space: Space,
    policy: Policy,
    sure: ReasonedForm,
    found: rulings.Preview,
    *,
    is_removal: bool,
) -> HttpResponse:
    people = ngettext(
        "%(n)d member with upcoming bookings", "%(n)d members with upcoming bookings", found.people
    )
    codes = ",".join(str(line.booking.code) for line in found.outside)
    context = {
        "space": space,
        "title": title(policy),
        "sentences": sentences(policy),
        "is_removal": is_removal,
        "members": _members(found, policy),
        "people": people % {"n": found.people},
        "bookings": found.bookings,
        "outside": len(found.outside),
        "lines": [described(line) for line in found.outside[:MOST_LISTED]],
        "hidden": sure.carried(request.POST),
        "shown": codes,
        "form": sure if sure.errors else ReasonedForm(),
        "yes": _("Remove the rule") if is_removal else _("Save the rule"),
    }
    is_wrong = bool(sure.errors.get("reason"))
    return render(request, "staff/rule_sure.html", context, status=422 if is_wrong else 200)


def _members(found: rulings.Preview, policy: Policy) -> str:
    """Say how many people a rule for a tier or a group is for, whether they have booked or not."""
    if found.members is None:
        return ""
    whose = {"n": found.members, "name": policy.tier or policy.group}
    return (
        ngettext("“%(name)s” has %(n)d member.", "“%(name)s” has %(n)d members.", found.members)
        % whose
    )


def _form(
    request: AuthenticatedRequest,
    space: Space,
    number: int,
    form: RuleForm,
    seen: Any,
    status: int = 200,
) -> HttpResponse:
    context = {"space": space, "form": form, "number": number, "seen": seen and seen.isoformat()}
    return render(request, "staff/rule.html", context, status=status)


def _policies(space: Space) -> list[Policy]:
    return list(
        Policy.objects.filter(space=space.pk)
        .select_related("group", "tier", "shift")
        .order_by("pk")
    )


def _seen(request: AuthenticatedRequest) -> Any:
    try:
        found = parse_datetime(request.POST.get("seen", ""))
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None
