"""What can be asked of bookings."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Func, IntegerField, Subquery

from bookings.states import OCCUPYING, State
from spaces.models import Space
from spaces.slots import Period

if TYPE_CHECKING:
    from accounts.models import User
    from bookings.models import Booking  # noqa: F401 - the base class below names it


class BookingQuerySet(models.QuerySet["Booking"]):
    def of(self, member: "User") -> "BookingQuerySet":
        return self.filter(member=member)

    def run_by(self, user: "User") -> "BookingQuerySet":
        """Bookings in the spaces whose day this person runs."""
        if user.is_superuser:
            return self
        return self.filter(place__space__staff_roles__user=user)

    def occupying(self) -> "BookingQuerySet":
        return self.filter(state__in=OCCUPYING)

    def upcoming(self, now: datetime) -> "BookingQuerySet":
        """Bookings that hold a place now or later, soonest first."""
        return self.occupying().filter(ends_at__gt=now).order_by("starts_at", "pk")

    def newest_first(self) -> "BookingQuerySet":
        return self.order_by("-starts_at", "-pk")

    def past_due(self, now: datetime) -> "BookingQuerySet":
        """Bookings whose time is over and that nobody has finished yet."""
        return self.filter(state__in=[State.CONFIRMED, State.CHECKED_IN], ends_at__lte=now)

    def overlapping(self, period: Period) -> "BookingQuerySet":
        return self.filter(starts_at__lt=period.ends_at, ends_at__gt=period.starts_at)

    def in_space(self, space: Space) -> "BookingQuerySet":
        return self.filter(place__space=space)

    def narrowed(self, *, state: str | None, space: Space | None) -> "BookingQuerySet":
        """Keep one state, one space, or both; None keeps all."""
        found = self if state is None else self.filter(state=state)
        return found if space is None else found.in_space(space)

    def spaces(self) -> models.QuerySet[Space]:
        """Return the spaces that these bookings are in, by name."""
        return Space.objects.filter(pk__in=self.values("place__space")).order_by("name", "pk")

    def with_place(self) -> "BookingQuerySet":
        return self.select_related("place__space")

    def upcoming_by_kind(self, now: datetime) -> dict[str, int]:
        """Count upcoming bookings by kind of place."""
        rows = self.upcoming(now).order_by().values_list("place__kind").annotate(n=Count("pk"))
        return dict(rows)

    def count_subquery(self) -> Subquery:
        """Return the number of rows as a correlated subquery."""
        counted = self.order_by().annotate(
            n=Func("pk", function="COUNT", output_field=IntegerField())
        )
        return Subquery(counted.values("n"))
