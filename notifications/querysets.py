"""What can be asked of endpoints, deliveries and calendar feeds."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

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

    def webhooks_run_by(self, user: "User") -> "EndpointQuerySet":
        """Webhooks of the spaces whose staff this person is."""
        from spaces.models import Space

        return self.filter(channel="WEBHOOK", space__in=Space.objects.run_by(user))

    def seen_by(self, user: "User") -> "EndpointQuerySet":
        """Webhooks of the spaces whose staff this person is; for superusers, mail and Kafka too."""
        return self if user.is_superuser else self.webhooks_run_by(user)

    def with_space(self) -> "EndpointQuerySet":
        return self.select_related("space")

    def by_age(self) -> "EndpointQuerySet":
        return self.order_by("created_at", "pk")

    def with_health(self) -> "EndpointQuerySet":
        """Carry `dead` and `waiting`, how many, and `next_at`, when the first of those is due."""
        from notifications.models import Delivery

        theirs = Delivery.objects.filter(endpoint=OuterRef("pk")).order_by()
        dead, waiting = theirs.dead().values("endpoint"), theirs.pending().values("endpoint")
        return self.annotate(
            dead=Coalesce(Subquery(dead.annotate(n=Count("pk")).values("n")), 0),
            waiting=Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0),
            next_at=Subquery(waiting.annotate(at=Min("due_at")).values("at")),
        )

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

    def forgettable(self, now: datetime, *, settled_before: datetime) -> "DeliveryQuerySet":
        """What arrived that long ago. A reminder's row is what keeps it from being sent again."""
        arrived = self.filter(state__in=["DELIVERED", "SKIPPED"], settled_at__lt=settled_before)
        return arrived.exclude(reminds_of__gt=now)

    def in_state(self, state: str) -> "DeliveryQuerySet":
        return self.filter(state=state) if state else self

    def to_webhooks_run_by(self, user: "User") -> "DeliveryQuerySet":
        from notifications.models import Endpoint

        return self.filter(endpoint__in=Endpoint.objects.webhooks_run_by(user))

    def seen_by(self, user: "User") -> "DeliveryQuerySet":
        return self if user.is_superuser else self.to_webhooks_run_by(user)

    def with_webhook(self) -> "DeliveryQuerySet":
        return self.with_event().select_related("endpoint__space")

    def dead(self) -> "DeliveryQuerySet":
        return self.filter(state="DEAD")

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """What may be sent now: its time has come, and nobody else is at it."""
        free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
        return self.pending().filter(free, due_at__lte=now)

    def waiting_for_another_try(self, now: datetime) -> "DeliveryQuerySet":
        """What is not due yet: everything is at first, so it has failed."""
        return self.pending().filter(due_at__gt=now)

    def next_of_each_booking(self) -> "DeliveryQuerySet":
        """Leave out what has an earlier one of the same booking before it on the same way.

        The earliest is looked up for each row, by its index. An anti-join says the same, but a
        planner that has not heard of a burst yet carries it out row by row against all others.
        """
        earliest = self.model._default_manager.filter(
            state="PENDING",
            endpoint=OuterRef("endpoint"),
            booking=OuterRef("booking"),
            position__isnull=False,
        ).order_by("position")
        return self.filter(Q(position=None) | Q(position=Subquery(earliest.values("position")[:1])))

    def overtaking(self, delivery: "Delivery") -> "DeliveryQuerySet":
        """What came later of the same booking and has arrived: an old one, sent again, is wrong."""
        later = self.filter(endpoint=delivery.endpoint_id, booking=delivery.booking_id)
        return later.filter(position__gt=delivery.position, state="DELIVERED")

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
