"""What can be asked of endpoints, deliveries and calendar feeds."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

if TYPE_CHECKING:
    from accounts.models import User
    from notifications.models import (  # noqa: F401 - the base classes below name them
        CalendarFeed,
        Delivery,
        Endpoint,
    )
    from spaces.models import Space


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def on(self, channel: str) -> "EndpointQuerySet":
        return self.filter(channel=channel)

    def switched_on(self) -> "EndpointQuerySet":
        return self.filter(is_active=True)

    def webhooks_of(self, space: "Space") -> "EndpointQuerySet":
        return self.filter(channel="WEBHOOK", space=space)

    def ready(self, now: datetime) -> "EndpointQuerySet":
        """Switched on, not resting, and something is due: one look into an index for each."""
        from notifications.models import Delivery

        due = Delivery.objects.filter(endpoint=OuterRef("pk")).due(now)
        awake = Q(rests_until__isnull=True) | Q(rests_until__lte=now)
        return self.switched_on().filter(awake).filter(Exists(due))


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> "DeliveryQuerySet":
        return self.filter(state="PENDING")

    def settled(self) -> "DeliveryQuerySet":
        return self.exclude(state="PENDING")

    def dead(self) -> "DeliveryQuerySet":
        return self.filter(state="DEAD")

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """What may be sent now: its time has come, and nobody else is at it."""
        free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
        return self.pending().filter(free, due_at__lte=now)

    def next_of_each_booking(self) -> "DeliveryQuerySet":
        """Leave out what has an earlier one of the same booking before it on the same way."""
        earlier = self.model._default_manager.filter(
            state="PENDING",
            endpoint=OuterRef("endpoint"),
            booking=OuterRef("booking"),
            position__lt=OuterRef("position"),
        )
        return self.filter(~Exists(earlier))

    def latest_first(self) -> "DeliveryQuerySet":
        return self.order_by("-pk")

    def with_event(self) -> "DeliveryQuerySet":
        """Carry what a message is made of."""
        return self.select_related("event__booking__place__space", "booking__place__space")


class FeedQuerySet(models.QuerySet["CalendarFeed"]):
    def of(self, user: "User") -> "FeedQuerySet":
        return self.filter(user=user)

    def of_own_bookings(self, user: "User") -> "FeedQuerySet":
        return self.of(user).filter(space=None)

    def in_space(self, user: "User", space: "Space") -> "FeedQuerySet":
        """What a person made for a space and its places: the whole first, then by number."""
        found = self.of(user).filter(space=space).select_related("space", "place__space")
        return found.order_by(F("place__number").asc(nulls_first=True))

    def of_people_here(self) -> "FeedQuerySet":
        return self.filter(user__is_active=True)
