"""Find a booking, look at it, cancel it; book for somebody else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Model, OrderBy, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from accounts.long_lists import LongList
from accounts.models import User
from bookings.admin import book, cancel, wording
from bookings.admin.filters import PARAMETERS, DayFilter, SpaceFilter, StateFilter, matching
from bookings.admin.pages import address, methods
from bookings.deciding import rules, standing
from bookings.deciding.rules import Problem
from bookings.finding.history import OFF_UTC
from bookings.models import Booking, BookingEvent
from bookings.querysets import WallClock
from bookings.words import words, zones
from bookings.words.representation import places_of
from spaces import setups
from spaces.slots import Period
from spaces.staff_admin import ANY_ROLE, SpaceScopedAdmin

#: Sorts by the times as shown, even when spaces are in different zones.
ON_THE_WALL = WallClock("starts_at", "place__space__time_zone")

#: What all bookings can be sorted by; those of a day can be sorted by every column.
SORTED_BY_INDEX = ("day", "received")


class BookingList(LongList):
    def get_ordering_field(self, field_name: Any) -> Any:
        found = super().get_ordering_field(field_name)
        return _start() if found == ON_THE_WALL else found

    def bounded(self, rows: QuerySet[Any], most: int) -> QuerySet[Any]:
        """Leave out what starts too late, or early, to be shown by any clock among the first."""
        first = next(iter(rows.query.order_by), None)
        if not isinstance(first, OrderBy) or first.expression != ON_THE_WALL:
            return rows
        sign, side, away = ("-", "gte", -1) if first.descending else ("", "lte", 1)
        starts = rows.order_by(f"{sign}starts_at").values_list("starts_at", flat=True)
        for last in starts[most - 1 : most]:
            return rows.filter(**{f"starts_at__{side}": last + 2 * away * OFF_UTC})
        return rows


def _start() -> Any:
    """Return what sorts by start, as this page's reader sees it."""
    return ON_THE_WALL if zones.of_staff().are_mixed else F("starts_at")


@admin.register(Booking)
class BookingAdmin(SpaceScopedAdmin):
    """Read-only: services change bookings, on separate pages."""

    space_path = "place__space"
    writers = ANY_ROLE
    list_display = ["where", "day", "time", "who", "party_size", "state", "space", "received"]
    list_filter = [DayFilter, SpaceFilter, StateFilter]
    list_per_page = 50
    search_fields = ["code"]  # shows the field; get_search_results reads it
    show_facets = admin.ShowFacets.NEVER
    actions = ["cancel_selected"]
    view_on_site = False
    fields = [
        ("space", "state", "party_size"),
        ("who", "guest_contact"),
        "note",
        ("received", "number"),
    ]
    readonly_fields = ["space", "who", "received", "number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        user: User = request.user  # type: ignore[assignment]  # signed in
        return Booking.objects.run_by(user).with_person()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BookingList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        days = request.GET.get(DayFilter.parameter_name, "next")
        return SORTED_BY_INDEX if days == "next" else self.list_display

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Show a single day in order of time, everything else newest first."""
        start = _start()
        if DayFilter.parameter_name in request.GET:
            return [start.asc(), "pk"]
        return [start.desc(), "-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        return queryset.filter(matching(search_term)), False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [address(self, "cancel", self.cancel_view), *super().get_urls()]

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
        return book.book(self, request)

    def cancel_view(self, request: HttpRequest) -> HttpResponse:
        return cancel.cancel(self, request)

    @admin.action(description=_("Cancel selected bookings…"), permissions=["view"])
    def cancel_selected(
        self, request: HttpRequest, queryset: QuerySet[Booking]
    ) -> HttpResponse | None:
        return cancel.choose(self, request, queryset)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        found: Booking = context["original"]
        context |= {
            "title": f"{found.place} · {wording.when(found.period, _zone(found))}",
            "subtitle": self.who(found),
            "can_cancel": found.is_upcoming(timezone.now()),
            "history": _history(found),
            "misfits": _misfits(found),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("place"), ordering="place__number")
    def where(self, booking: Booking) -> str:
        return str(booking.place)

    @admin.display(description=_("space"), ordering="place__space__name")
    def space(self, booking: Booking) -> str:
        return booking.place.space.name

    @admin.display(description=_("day"), ordering=ON_THE_WALL)
    def day(self, booking: Booking) -> str:
        return words.day_of_year(booking.starts_at.astimezone(_zone(booking)).date())

    @admin.display(description=_("time"))
    def time(self, booking: Booking) -> str:
        return wording.span(booking.period, _zone(booking))

    @admin.display(description=_("for"), ordering="member__username")
    def who(self, booking: Booking) -> str:
        return wording.whose(booking)

    @admin.display(description=_("received"), ordering="code")
    def received(self, booking: Booking) -> str:
        return wording.moment(booking.created_at, _zone(booking))

    @admin.display(description=_("code"))
    def number(self, booking: Booking) -> str:
        return str(booking.code)


def _zone(booking: Booking) -> ZoneInfo:
    return booking.place.space.zone


def _misfits(booking: Booking) -> list[Problem]:
    """Return why the set-up would not allow it now, as long as that matters."""
    now = timezone.now()
    if not booking.is_upcoming(now):
        return []
    venue = setups.current(booking.place.space_id).venue_for(booking.member, now)
    return standing.misfits(booking, venue, now)


@dataclass(frozen=True)
class HistoryLine:
    """One event in words, with the place and time after it."""

    at: str
    kind: str
    by: str
    reason: str
    place: str
    time: str


def _history(booking: Booking) -> list[HistoryLine]:
    zone = _zone(booking)
    lines = []
    events = list(booking.events.select_related("actor").order_by("sequence"))
    places = places_of(event.data for event in events)
    for event in events:
        period = Period(*(datetime.fromisoformat(event.data[n]) for n in ("starts_at", "ends_at")))
        lines.append(
            HistoryLine(
                at=wording.moment(event.at, zone),
                kind=event.get_kind_display(),
                by=str(event.actor or ""),
                reason=event.reason or _why(event),
                place=str(places[event.data["place"]["code"]]),
                time=wording.when(period, zone),
            )
        )
    return lines


def _why(event: BookingEvent) -> str:
    """Put codes into words: why it was refused, or what changed in the set-up."""
    return " ".join(rules.reason(code) for code in event.data.get("problems", ()))
