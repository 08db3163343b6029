"""What the admin asks before a change of set-up that bookings wouldn't fit.

Every view of such an admin (form with inlines, list with actions and bulk edits, deletion) is
wrapped as a whole: it works in a transaction, which is rolled back while a question is open.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ActionLocation, ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.letters import validate_visible
from bookings.admin import wording
from bookings.admin.pages import CodesField, page, write_codes
from bookings.deciding import stranding
from bookings.deciding.stranding import (
    Act,
    Answer,
    Choice,
    Clock,
    Outcome,
    Scope,
    WhatBecomes,
    WhichClock,
)
from bookings.models import Booking

type View = Callable[[], HttpResponse]

BACK = "back"
PREFIX = "bookings"


class AnswerForm(forms.Form):
    """What happens to the bookings that were shown; its fields travel with those of the change."""

    prefix = PREFIX

    shown = CodesField(required=False)
    clock = forms.ChoiceField(
        choices=[(clock.value, clock.value) for clock in Clock],
        required=False,
        widget=forms.HiddenInput,
    )
    choice = forms.ChoiceField(
        choices=[*((choice.value, choice.value) for choice in Choice), (BACK, BACK)],
        required=False,
    )
    reason = forms.CharField(
        validators=[validate_visible],
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Whoever booked sees it."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if cleaned.get("choice") == Choice.CANCEL and not self.errors and not cleaned["reason"]:
            self.add_error("reason", _("Give a reason: the people who booked will see it."))

    def answer(self) -> Answer:
        """Return the answer; None when it is invalid."""
        if not self.is_valid():
            cleaned = self.cleaned_data
            return Answer(shown=cleaned.get("shown", ()), clock=_clock(cleaned))
        cleaned = self.cleaned_data
        choice = Choice(cleaned["choice"]) if cleaned["choice"] else None
        return Answer(cleaned["shown"], choice, cleaned["reason"], _clock(cleaned))


def _clock(cleaned: dict[str, Any]) -> Clock | None:
    return Clock(cleaned["clock"]) if cleaned.get("clock") else None


class Unsaved:
    """A form shown again as it was typed, neither saved nor with errors."""

    def is_valid(self) -> bool:
        super().is_valid()  # type: ignore[misc]  # a mixin: forms and formsets have it
        return False


class AskingAdmin(ModelAdmin):  # type: ignore[type-arg]  # generic for mypy alone
    """An admin of something that bookings depend on. Subclasses say whose bookings in `touched`."""

    def touched(self, rows: QuerySet[Any]) -> Scope:
        """Return whose bookings a change of these rows may affect."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        def view() -> HttpResponse:
            return super(AskingAdmin, self).changeform_view(
                request, object_id, form_url, extra_context
            )

        if object_id is None:  # nothing depends on a new row yet
            return view()
        if _goes_back(request):
            return _as_typed(request, view)
        return self._asking(request, self._row(request, object_id), view)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (Unsaved, form), {}) if _goes_back(request) else form

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        def view() -> HttpResponse:
            return super(AskingAdmin, self).delete_view(request, object_id, extra_context)

        if _goes_back(request):
            return redirect(request.get_full_path())
        return self._asking(request, self._row(request, object_id), view)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        def view() -> HttpResponse:
            return super(AskingAdmin, self).changelist_view(request, extra_context)

        if _goes_back(request):
            return redirect(request.get_full_path())
        if _only_asks(request):
            return view()
        return self._asking(request, self._rows(request), view)

    def _row(self, request: HttpRequest, object_id: str) -> QuerySet[Any]:
        found = self.get_object(request, unquote(object_id))
        rows = self.get_queryset(request)
        return rows.none() if found is None else rows.filter(pk=found.pk)

    def _rows(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that are selected in a list; all if an action or edit applies to all."""
        rows = self.get_queryset(request)
        if "_save" in request.POST or request.POST.get("select_across", "0") != "0":
            return rows
        return rows.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))

    def _asking(self, request: HttpRequest, rows: QuerySet[Any], view: View) -> HttpResponse:
        """Let a view change rows and settle what happens to bookings, or ask and change nothing."""
        if request.method != "POST":
            return view()
        form = AnswerForm(request.POST)
        user: Any = request.user
        act = Act(by=user, now=timezone.now(), answer=form.answer())
        said = _Said(request)
        try:
            with transaction.atomic(), stranding.changing(self.touched(rows), act) as outcome:
                response = view()
        except stranding.Question as question:
            said.unsay()
            return self._ask_about(request, form, act.answer, question)
        for text in _in_words(outcome):
            messages.success(request, text)
        return response

    def _ask_about(
        self, request: HttpRequest, form: AnswerForm, answer: Answer, question: stranding.Question
    ) -> HttpResponse:
        now = timezone.now()
        before = set(answer.shown or ())
        is_again = answer.choice is not None or (
            answer.clock is not None and isinstance(question, WhichClock)
        )
        found = {line.booking.code for line in question.found}
        is_wrong = bool(form.errors) and isinstance(question, WhatBecomes)
        return page(
            self,
            request,
            "admin/bookings/stranded.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.CONFLICT,
            title=_("What should happen to these bookings?"),
            headline=_headline(question),
            asks_clock=isinstance(question, WhichClock),
            lines=[
                _line(line, now, is_new=is_again and line.booking.code not in before)
                for line in question.found
            ],
            gets_mail=any(not _unwritten(line.after.booking) for line in question.found),
            must_go=any(line.must_go for line in question.found),
            form=form,
            is_wrong=is_wrong,
            hidden=[*_posted(request), (f"{PREFIX}-shown", write_codes(sorted(before | found)))],
            clock=answer.clock if isinstance(question, WhatBecomes) else None,
        )


class _Said:
    """A view's messages: what was rolled back didn't happen, so its messages must not be shown."""

    def __init__(self, request: HttpRequest) -> None:
        storage: Any = messages.get_messages(request)
        self._queue: list[Any] = storage._queued_messages
        self._length = len(self._queue)

    def unsay(self) -> None:
        del self._queue[self._length :]


def _goes_back(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get(f"{PREFIX}-choice") == BACK


def _only_asks(request: HttpRequest) -> bool:
    """Tell whether somebody who deletes rows of a list is yet to confirm it: no lock is taken."""
    sent = request.POST
    return {*sent.getlist("action")} == {"delete_selected"} and {"post", "_save"}.isdisjoint(sent)


def _as_typed(request: HttpRequest, view: View) -> HttpResponse:
    """Return to a form as it was typed, or to an action's page; nothing is written."""
    saves = {"_save", "_continue", "_addanother", "_saveasnew"}
    if f"{ActionLocation.CHANGE_FORM.value}-action" in request.POST and saves.isdisjoint(
        request.POST
    ):
        return redirect(request.get_full_path())
    with transaction.atomic():
        response = view()
        transaction.set_rollback(True)
    return response


def _posted(request: HttpRequest) -> Iterable[tuple[str, str]]:
    """Return the fields of the change as posted, with every value of multiple ones."""
    for name, values in request.POST.lists():
        if name != "csrfmiddlewaretoken" and not name.startswith(f"{PREFIX}-"):
            yield from ((name, str(value)) for value in values)


def _headline(question: stranding.Question) -> str:
    n = len(question.found)
    if isinstance(question, WhichClock):
        text = ngettext(
            "The new time zone affects %(n)d booking.",
            "The new time zone affects %(n)d bookings.",
            n,
        )
    else:
        text = ngettext(
            "%(n)d booking would no longer fit.", "%(n)d bookings would no longer fit.", n
        )
    return text % {"n": n}


def _line(line: stranding.Stranded, now: Any, *, is_new: bool) -> dict[str, Any]:
    booking = line.booking
    time = wording.when(booking.period, line.zone)
    words_ = f"{booking.place}, {time}, {wording.whose(booking)}"
    return {
        "words": words_,
        "problems": [problem.message for problem in line.problems],
        "unwritten": _unwritten(line.after.booking),
        "is_new": is_new,
        "then": wording.when(line.after.booking.period, line.after.zone),
    }


def _unwritten(booking: Booking) -> str:
    """Say that the person who booked gets no mail, and how to reach them; nothing if they do."""
    member = booking.member
    if member is not None and member.is_active and member.email:
        return ""
    if member is None and booking.guest_contact:
        return _("Gets no mail. Contact: %(contact)s") % {"contact": booking.guest_contact}
    return _("Gets no mail.")


def _in_words(outcome: Outcome) -> Iterable[str]:
    moved, kept, cancelled = outcome.moved, outcome.kept, outcome.cancelled
    if moved:
        yield ngettext("Moved %(n)d booking.", "Moved %(n)d bookings.", moved) % {"n": moved}
    if kept:
        text = ngettext("Kept %(n)d booking as it is.", "Kept %(n)d bookings as they are.", kept)
        yield text % {"n": kept}
    if cancelled:
        text = ngettext("Cancelled %(n)d booking.", "Cancelled %(n)d bookings.", cancelled)
        yield text % {"n": cancelled}
