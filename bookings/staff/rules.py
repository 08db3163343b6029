"""The rules of a space as sentences, changed in people's units; whom they hit is said first."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.numbers import WholeNumberField
from accounts.requests import AuthenticatedRequest
from bookings.deciding import rulings
from bookings.deciding.stranding import Act, Outcome, Question, Stranded
from bookings.staff.access import space_managed_by, space_run_by
from bookings.staff.sure import ReasonedForm
from bookings.words import words
from bookings.words.rules_in_words import length, read_length, sentences, title
from spaces.models import Policy, Space

#: More bookings than this are counted, not listed.
MOST_LISTED = 100


class LengthField(forms.CharField):
    """A length of time with its unit: «4 h», «1 h 30 min», «2 days»."""

    def __init__(self, column: str, label: Any, help_text: Any = "") -> None:
        attrs = {"autocomplete": "off", "placeholder": "2 h"}
        super().__init__(
            label=label,
            required=False,
            max_length=60,
            help_text=help_text,
            widget=forms.TextInput(attrs=attrs),
        )
        self.column = Policy._meta.get_field(column)

    def prepare_value(self, value: Any) -> Any:
        return length(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            minutes = read_length(text)
        except ValueError as error:
            raise ValidationError(_("Write it with its unit: 30 min, 4 h, 2 days.")) from error
        self.column.run_validators(minutes)  # type: ignore[union-attr]  # a column, no relation
        return minutes


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A policy in hours and days."""

    max_minutes = LengthField("max_minutes", gettext_lazy("Longest booking"))
    max_days_ahead = WholeNumberField(
        label=gettext_lazy("Days ahead, at most"), required=False, min_value=0, max_value=3_660
    )
    min_minutes = LengthField("min_minutes", gettext_lazy("Shortest booking"))
    step_minutes = LengthField(
        "step_minutes",
        gettext_lazy("Steps of"),
        gettext_lazy("A multiple of 15 min, counted from opening time. Empty: 1 h."),
    )
    min_notice_minutes = LengthField(
        "min_notice_minutes", gettext_lazy("Booked before it starts, at least")
    )
    cancel_deadline_minutes = LengthField(
        "cancel_deadline_minutes", gettext_lazy("Cancelled before it starts, at least")
    )
    grace_minutes = LengthField(
        "grace_minutes",
        gettext_lazy("May be undone after booking, for"),
        gettext_lazy("Whatever the deadline. 0 min: not at all. Empty: 5 min."),
    )
    max_upcoming = WholeNumberField(
        label=gettext_lazy("Upcoming bookings of each, at most"),
        required=False,
        min_value=0,
        max_value=1_000,
    )

    class Meta:
        model = Policy
        fields = (
            *("kind", "max_minutes", "max_days_ahead", "min_minutes", "step_minutes"),
            *("min_notice_minutes", "cancel_deadline_minutes", "grace_minutes", "max_upcoming"),
        )


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
    policy = policies[number - 1] if number else Policy(space_id=space.pk)
    seen = policy.changed_at if number else None
    sure = ReasonedForm(request.POST)
    is_back = request.POST.get("choice") == "back"
    if request.method != "POST":
        return _form(request, space, number, RuleForm(instance=policy), seen)
    seen = _seen(request) if number else None
    if "remove" in request.POST and number and not is_back:
        return _settle(request, space, policy, sure, seen, None)
    form = RuleForm(request.POST, instance=policy)
    if not form.is_valid() or is_back:
        return _form(request, space, number, form, seen, status=422 if form.errors else 200)
    return _settle(request, space, policy, sure, seen, form)


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
            messages.success(request, " ".join([done, *_happened(outcome)]))
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
        "people": people % {"n": found.people},
        "bookings": found.bookings,
        "outside": len(found.outside),
        "lines": [_line(line) for line in found.outside[:MOST_LISTED]],
        "hidden": sure.carried(request.POST),
        "shown": codes,
        "form": sure if sure.errors else ReasonedForm(),
    }
    is_wrong = bool(sure.errors.get("reason"))
    return render(request, "staff/rule_sure.html", context, status=422 if is_wrong else 200)


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
    return list(Policy.objects.filter(space=space.pk).select_related("group").order_by("pk"))


def _seen(request: AuthenticatedRequest) -> Any:
    try:
        found = parse_datetime(request.POST.get("seen", ""))
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def _line(line: Stranded) -> tuple[str, list[str]]:
    booking = line.booking
    day = words.day_of_year(booking.starts_at.astimezone(line.zone).date())
    whose = booking.guest_name if booking.member is None else booking.member.get_full_name()
    time = words.span(booking.period, line.zone)
    described = f"{booking.place}, {day}, {time}, {whose}"
    return described, [problem.message for problem in line.problems]


def _happened(outcome: Outcome) -> list[str]:
    said = []
    if n := outcome.kept:
        kept = ngettext("Kept %(n)d booking as it is.", "Kept %(n)d bookings as they are.", n)
        said.append(kept % {"n": n})
    if n := outcome.cancelled:
        said.append(ngettext("Cancelled %(n)d booking.", "Cancelled %(n)d bookings.", n) % {"n": n})
    return said
