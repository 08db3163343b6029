"""The sort orders of paged lists of bookings, and a booking's position in them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Sort(models.TextChoices):
    NEWEST = "-created_at", _("newest request first")
    EARLIEST = "starts_at", _("earliest start first")
    LATEST = "-starts_at", _("latest start first")

    @property
    def fields(self) -> list[str]:
        """A code makes positions unique; a key says in which order the requests were stored."""
        return {
            Sort.NEWEST: ["-pk"],
            Sort.EARLIEST: ["starts_at", "code"],
            Sort.LATEST: ["-starts_at", "-code"],
        }[self]

    def position(self, starts_at: datetime, code: UUID) -> list[str]:
        """Write a booking's position, for `beyond`."""
        return [self.value, starts_at.isoformat(), str(code)]

    def beyond(self, position: list[str], *, key_of: Callable[[UUID], int]) -> Q:
        """Return what comes after a position. `key_of` finds a booking.

        Raises ValueError for a position from another order.
        """
        sort, start, booking = position
        starts_at, code = datetime.fromisoformat(start), UUID(booking)
        if sort != self.value or starts_at.utcoffset() != timedelta(0):  # `position` writes UTC
            raise ValueError(position)
        if self == Sort.NEWEST:
            return Q(pk__lt=key_of(code))
        side = "gt" if self == Sort.EARLIEST else "lt"
        beyond = Q(**{f"starts_at__{side}": starts_at}) | Q(**{f"code__{side}": code})
        return Q(**{f"starts_at__{side}e": starts_at}) & beyond  # an index leads to the first
