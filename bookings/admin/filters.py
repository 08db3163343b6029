"""Filters for the front desk's lists."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookings.finding.callers import codes_beginning
from bookings.states import MET
from bookings.words.local_time import LocalTimeError, read_day
from spaces.models import Closure, Place, Space
from spaces.slots import Period, day_period

WORDS = 8  # in a search; more would only slow it down


class SpaceFilter(SimpleListFilter):
    """The person's own spaces; no choice if there is only one."""

    title = _("space")
    parameter_name = "space"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user: User = request.user  # type: ignore[assignment]  # signed in
        rows = Space.objects.run_by(user).order_by("name", "pk").values_list("slug", "name")
        return list(rows)

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        path = "space" if queryset.model is Closure else "place__space"
        return queryset.filter(**{f"{path}__slug": self.value()})


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in MET]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(state=self.value())


class DayFilter(SimpleListFilter):
    """Bookings now or later, or starting on some day by each space's calendar."""

    title = _("day")
    parameter_name = "day"
    template = "admin/bookings/day_filter.html"
    named = {"today": (0, 1), "tomorrow": (1, 1), "week": (0, 7)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("next", _("Now and later")),
            ("today", _("Today")),
            ("tomorrow", _("Tomorrow")),
            ("week", _("Next 7 days")),
        ]

    @property
    def chosen_date(self) -> str:
        value = self.value() or ""
        return "" if value == "next" or value in self.named else value

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        self.other_parameters = {
            name: value for name, value in changelist.params.items() if name != self.parameter_name
        }
        return super().choices(changelist)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value == "next":
            bookings: Any = queryset
            upcoming: QuerySet[Any] = bookings.upcoming(timezone.now())
            return upcoming
        user: User = request.user  # type: ignore[assignment]  # signed in
        zones = Space.objects.run_by(user).order_by().values_list("time_zone", flat=True).distinct()
        now = timezone.now()
        try:
            days = {zone: _days(value, ZoneInfo(zone), now) for zone in zones}
        except LocalTimeError as error:
            messages.error(request, str(error))
            return queryset.none()
        wanted = [
            Q(
                place__space__time_zone=zone,
                starts_at__gte=period.starts_at,
                starts_at__lt=period.ends_at,
            )
            for zone, period in days.items()
        ]
        return queryset.filter(reduce(or_, wanted)) if wanted else queryset.none()


def _days(value: str, zone: ZoneInfo, now: datetime) -> Period:
    """Return the days that a filter's value means in a zone. Raises LocalTimeError."""
    first: date
    if value in DayFilter.named:
        later, count = DayFilter.named[value]
        first = now.astimezone(zone).date() + timedelta(days=later)
    else:
        first, count = read_day(value), 1
    last = first + timedelta(days=count - 1)
    return Period(day_period(first, zone).starts_at, day_period(last, zone).ends_at)


class OverFilter(SimpleListFilter):
    """Closures that are current or upcoming, or those that are over."""

    title = _("time")
    parameter_name = "over"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Now and later")), ("yes", _("Over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        by_value = {"no": Q(ends_at__gt=now), "yes": Q(ends_at__lte=now)}
        return queryset.filter(by_value.get(self.value() or "", Q()))


#: The filters that a list's URL may contain. Django would accept any lookup on any column.
PARAMETERS = {f.parameter_name for f in (SpaceFilter, StateFilter, DayFilter, OverFilter)}


def matching(text: str) -> Q:
    """Return conditions that find bookings by login, guest, place, number or start of the code."""
    return reduce(and_, map(_any_of, text.split()[:WORDS]), Q())


def _any_of(word: str) -> Q:
    found = (
        Q(member__username__contains=User.normalize_username(word))
        | Q(guest_name__icontains=word)
        | Q(place__name__icontains=word)
    )
    kinds = [kind for kind, label in Place.Kind.choices if str(label).casefold() == word.casefold()]
    if kinds:  # "Desk 4" has no name of its own, just its kind and number
        found |= Q(place__kind__in=kinds, place__name="")
    if word.isascii() and word.isdigit() and len(word) <= 9:
        found |= Q(place__number=int(word))
    if codes := codes_beginning(word):
        found |= Q(code__range=codes)
    return found
