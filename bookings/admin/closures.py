"""Close a space or a place for a time, and open it again."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import PermissionDenied
from django.db.models import F, Model, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.letters import validate_visible
from accounts.models import User
from bookings.admin import wording
from bookings.admin.filters import PARAMETERS, OverFilter, SpaceFilter
from bookings.admin.pages import CodesField, back_to_list, lines, methods, page, write_codes
from bookings.deciding import closing
from bookings.deciding.errors import BookingsInTheWay
from bookings.deciding.stranding import Choice
from bookings.querysets import WallClock
from bookings.words import zones
from bookings.words.local_time import LocalTimeError, read_day, read_instant, read_period_on
from spaces import setups
from spaces.clocks import ClockInput, DayInput
from spaces.models import Closure, Place, Space
from spaces.slots import Period, is_on_grid
from spaces.staff_admin import ANY_ROLE, SpaceScopedAdmin

#: Sorts by the times as shown, even when spaces are in different zones.
ON_THE_WALL = WallClock("starts_at", "space__time_zone")


class CloseForm(forms.Form):
    """What to close and when. Times are the space's local times; without them, whole days."""

    what = forms.ChoiceField(label=gettext_lazy("What"))
    first_day = forms.CharField(label=gettext_lazy("First day"), strip=False, widget=DayInput)
    starts = forms.CharField(
        label=gettext_lazy("From"), required=False, max_length=20, strip=False, widget=ClockInput
    )
    last_day = forms.CharField(
        label=gettext_lazy("Last day"), required=False, strip=False, widget=DayInput
    )
    ends = forms.CharField(
        label=gettext_lazy("To"), required=False, max_length=20, strip=False, widget=ClockInput
    )
    reason = forms.CharField(
        validators=[validate_visible],
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Everyone with a booking at that time sees it."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    shown = CodesField(required=False)

    def __init__(self, *args: Any, spaces: QuerySet[Space], now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.targets: dict[str, tuple[Space, Place | None]] = {}
        field: Any = self.fields["what"]
        field.choices = [("", "—"), *((space.name, self._choices(space)) for space in spaces)]

    def _choices(self, space: Space) -> list[tuple[str, str]]:
        whole = f"space {space.slug}"
        self.targets[whole] = (space, None)
        choices = [(whole, _("All of %(space)s") % {"space": space})]
        for place in space.places.all():
            self.targets[f"place {place.code}"] = (space, place)
            choices.append((f"place {place.code}", str(place)))
        return choices

    @property
    def target(self) -> tuple[Space, Place | None]:
        return self.targets[self.cleaned_data["what"]]

    def _clean_day(self, name: str) -> date | None:
        text: str = self.cleaned_data[name]
        try:
            return read_day(text) if text else None
        except LocalTimeError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_first_day(self) -> date | None:
        return self._clean_day("first_day")

    def clean_last_day(self) -> date | None:
        return self._clean_day("last_day")

    def clean(self) -> None:
        if self.errors:
            return
        try:
            period = self._period()
        except LocalTimeError as error:
            raise forms.ValidationError(str(error)) from error
        self.cleaned_data["period"] = period
        if period.ends_at <= period.starts_at:
            self.add_error("ends", _("The end must be later than the start."))
        elif period.ends_at <= self.now:
            self.add_error("ends", _("This time is already past."))
        elif not (is_on_grid(period.starts_at) and is_on_grid(period.ends_at)):
            self.add_error("starts", _("Choose a quarter hour: :00, :15, :30 or :45."))

    def _period(self) -> Period:
        """Parse the days and times; an end after midnight without a day is on the next one."""
        space, _place = self.target
        asked = self.cleaned_data
        first, starts, ends = asked["first_day"], asked["starts"], asked["ends"]
        if starts and ends and asked["last_day"] is None:
            return Period(*read_period_on(first, starts, ends, space.zone))
        last = asked["last_day"] or first
        venue = setups.current(space.pk).venue((), self.now)
        days = closing.whole_days(venue, first, last)
        return Period(
            read_instant(f"{first}T{starts}", space.zone) if starts else days.starts_at,
            read_instant(f"{last}T{ends}", space.zone) if ends else days.ends_at,
        )


@admin.register(Closure)
class ClosureAdmin(SpaceScopedAdmin):
    """A closure is made on its own page and never changed; deleting it opens the space again."""

    writers = ANY_ROLE
    list_display = ["what", "space", "when", "reason"]
    list_display_links = ["what"]
    list_filter = [OverFilter, SpaceFilter]
    list_select_related = ["space", "place"]
    list_per_page = 50
    search_fields = ["reason", "place__name", "place__number__exact"]
    show_facets = admin.ShowFacets.NEVER
    actions = ["delete_selected"]
    readonly_fields = ["what", "space", "when", "reason"]
    fields = [*readonly_fields]
    change_form_template = "admin/bookings/closure/change_form.html"
    change_list_template = "admin/bookings/closure/change_list.html"
    delete_confirmation_template = "admin/bookings/closure/reopen.html"
    delete_selected_confirmation_template = "admin/bookings/closure/reopen.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Closure]:
        found: QuerySet[Closure] = super().get_queryset(request).select_related("space", "place")
        return found

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        start: Any = ON_THE_WALL if zones.of_staff().are_mixed else F("starts_at")
        return [start.desc(), "-pk"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say in words what is opened again; nothing else depends on a closure."""
        lines = [f"{self.what(closure)}, {self.when(closure)}: {closure}" for closure in objs]
        return lines, {self.opts.verbose_name_plural: len(lines)}, set(), []

    @admin.action(description=gettext_lazy("Reopen selected…"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, closures: QuerySet[Closure]
    ) -> HttpResponse | None:
        return delete_selected(self, request, closures)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Answer 400 to filters that the page doesn't have."""
        return lookup in PARAMETERS

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = {"title": str(self.opts.verbose_name_plural).capitalize()}
        return super().changelist_view(request, title | (extra_context or {}))

    @method_decorator(methods)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the form; POST closes, or lists the bookings in the way and asks first."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        now = timezone.now()
        user: User = request.user  # type: ignore[assignment]  # signed in
        spaces = Space.objects.run_by(user).order_by("name", "pk")
        spaces = spaces.prefetch_related(Prefetch("places", Place.objects.by_number()))
        if request.method != "POST":
            form = CloseForm(initial=request.GET.dict(), spaces=spaces, now=now)
            return self._form(request, form)
        form = CloseForm(request.POST, spaces=spaces, now=now)
        if not form.is_valid():
            return self._form(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        if "back" in request.POST:
            return self._form(request, form)
        return self._close(request, form, now)

    def _close(self, request: HttpRequest, form: CloseForm, now: datetime) -> HttpResponse:
        """Close. The answer covers only bookings that the person was shown; new ones are shown."""
        space, place = form.target
        period: Period = form.cleaned_data["period"]
        shown = form.cleaned_data["shown"]
        answer = Choice.KEEP if "keep" in request.POST else Choice.CANCEL
        try:
            closure, bookings = closing.close(
                space,
                place=place,
                starts_at=period.starts_at,
                ends_at=period.ends_at,
                reason=form.cleaned_data["reason"],
                choice=answer if shown else None,
                shown=shown,
                by=request.user,  # type: ignore[arg-type]  # signed in
                now=now,
            )
        except BookingsInTheWay as error:
            return self._ask(request, form, error)
        self.log_addition(request, closure, [{"added": {}}])
        messages.success(request, _said(answer, len(bookings)))
        return back_to_list(self, request)

    def _form(self, request: HttpRequest, form: CloseForm, status: int = 200) -> HttpResponse:
        fields = ("what", ("first_day", "starts"), ("last_day", "ends"), "reason")
        return page(
            self,
            request,
            "admin/bookings/closure/close.html",
            status=status,
            title=_("Close a space or a place"),
            form=form,
            adminform=lines(form, *fields),
        )

    def _ask(self, request: HttpRequest, form: CloseForm, error: BookingsInTheWay) -> HttpResponse:
        space, place = form.target
        shown = set(form.cleaned_data["shown"])
        typed = {name: form.data.get(name, "") for name in form.fields}
        return page(
            self,
            request,
            "admin/bookings/closure/in_the_way.html",
            status=HTTPStatus.CONFLICT,
            title=_("What should happen to these bookings?"),
            headline=str(error),
            closing=f"{place or space}, {wording.when(form.cleaned_data['period'], space.zone)}",
            bookings=[
                (wording.described(booking), bool(shown) and booking.code not in shown)
                for booking in error.bookings
            ],
            reason=form.cleaned_data["reason"],
            typed=typed | {"shown": write_codes(b.code for b in error.bookings)},
        )

    @admin.display(description=gettext_lazy("closed"), ordering="place__number")
    def what(self, closure: Closure) -> str:
        return str(closure.place or _("All of %(space)s") % {"space": closure.space})

    @admin.display(description=gettext_lazy("time"), ordering=ON_THE_WALL)
    def when(self, closure: Closure) -> str:
        return wording.when(Period(closure.starts_at, closure.ends_at), closure.space.zone)


def _said(answer: Choice, n: int) -> str:
    if not n:
        return _("Closed.")
    if answer == Choice.KEEP:
        text = ngettext("Closed, and kept %(n)d booking.", "Closed, and kept %(n)d bookings.", n)
    else:
        text = ngettext(
            "Closed, and cancelled %(n)d booking.", "Closed, and cancelled %(n)d bookings.", n
        )
    return text % {"n": n}
