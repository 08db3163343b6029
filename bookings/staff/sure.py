"""What becomes of bookings that a change hits: the answer that comes with the change."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.letters import validate_visible
from bookings.deciding.stranding import Answer, Choice, Outcome, Stranded
from bookings.models import Booking
from bookings.words import words

BACK = "back"


class SureForm(forms.Form):
    """Whether bookings are kept or cancelled, and which ones were shown."""

    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    choice = forms.ChoiceField(
        choices=[(BACK, BACK), *((choice.value, choice.value) for choice in Choice)],
        required=False,
    )

    def clean_shown(self) -> list[UUID]:
        try:
            return [UUID(code) for code in self.cleaned_data["shown"].split(",") if code]
        except ValueError as error:
            raise ValidationError(_("These are not booking codes.")) from error

    @property
    def decision(self) -> tuple[Choice | None, list[UUID]]:
        """Return the choice, None if there is none that counts, and what it is about."""
        choice = self.cleaned_data.get("choice") if self.is_valid() else ""
        if not choice or choice == BACK:
            return None, []
        return Choice(choice), self.cleaned_data["shown"]

    def carried(self, sent: QueryDict) -> list[tuple[str, str]]:
        """Return the fields of the change itself, to be sent again with an answer."""
        ours = {"csrfmiddlewaretoken", *self.fields}
        return [
            (name, str(value))
            for name, values in sent.lists()
            if name not in ours
            for value in values
        ]


class ReasonedForm(SureForm):
    """The same, with a reason for whoever loses a booking."""

    reason = forms.CharField(
        validators=[validate_visible],
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Whoever booked sees it."),
    )

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if cleaned.get("choice") == Choice.CANCEL and not cleaned.get("reason"):
            self.add_error("reason", _("Give a reason: the people who booked will see it."))

    def answer(self) -> Answer | None:
        choice, shown = self.decision
        return Answer(shown, choice, self.cleaned_data["reason"]) if choice else None


def described(line: Stranded) -> tuple[str, list[str]]:
    """Return a booking that a change hits in words, and why it doesn't fit."""
    return in_words(line.booking, line.zone), [problem.message for problem in line.problems]


def in_words(booking: Booking, zone: ZoneInfo) -> str:
    day = words.day_of_year(booking.starts_at.astimezone(zone).date())
    whose = booking.guest_name if booking.member is None else booking.member.get_full_name()
    return f"{booking.place}, {day}, {words.span(booking.period, zone)}, {whose}"


def happened(outcome: Outcome) -> list[str]:
    """Say what became of bookings."""
    said = []
    if n := outcome.kept:
        kept = ngettext("Kept %(n)d booking as it is.", "Kept %(n)d bookings as they are.", n)
        said.append(kept % {"n": n})
    if n := outcome.cancelled:
        said.append(ngettext("Cancelled %(n)d booking.", "Cancelled %(n)d bookings.", n) % {"n": n})
    return said
