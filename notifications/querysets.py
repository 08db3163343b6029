"""Queries on endpoints, deliveries and calendar feeds."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from spaces.models import Space
from spaces.related import related_model


class EndpointQuerySet[E: models.Model](models.QuerySet[E]):
    def on(self, channel: str) -> Self:
        return self.filter(channel=channel)

    def switched_on(self) -> Self:
        return self.filter(is_active=True)

    def webhooks_of(self, space: Space) -> Self:
        return self.filter(channel="WEBHOOK", space=space)

    def webhooks_run_by(self, user: User) -> Self:
        """Webhooks of the spaces this person works for."""
        return self.filter(channel="WEBHOOK", space__in=Space.objects.run_by(user))

    def seen_by(self, user: User) -> Self:
        """Webhooks of the spaces this person works for; for superusers, mail and Kafka too."""
        return self if user.is_superuser else self.webhooks_run_by(user)

    def with_space(self) -> Self:
        return self.select_related("space")

    def by_age(self) -> Self:
        return self.order_by("created_at", "pk")

    def with_health(self) -> Self:
        """Annotate the counts `dead` and `waiting`, and `next_at`, when the next one is due."""
        theirs = self._deliveries().order_by()
        dead, waiting = theirs.dead().values("endpoint"), theirs.pending().values("endpoint")
        return self.annotate(
            dead=Coalesce(Subquery(dead.annotate(n=Count("pk")).values("n")), 0),
            waiting=Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0),
            next_at=Subquery(waiting.annotate(at=Min("due_at")).values("at")),
        )

    def ready(self, now: datetime) -> Self:
        """Switched on, not resting, and with something due: one index lookup each."""
        due = self._deliveries().due(now)
        awake = Q(rests_until__isnull=True) | Q(rests_until__lte=now)
        return self.switched_on().filter(awake).filter(Exists(due))

    def _deliveries(self) -> "DeliveryQuerySet[Any]":
        """Return the deliveries of the outer endpoint."""
        every: DeliveryQuerySet[Any] = DeliveryQuerySet(related_model(self.model, "deliveries"))
        return every.filter(endpoint=OuterRef("pk"))


class DeliveryQuerySet[D: models.Model](models.QuerySet[D]):
    def pending(self) -> Self:
        return self.filter(state="PENDING")

    def settled(self) -> Self:
        return self.exclude(state="PENDING")

    def forgettable(self, now: datetime, *, settled_before: datetime) -> Self:
        """What arrived that long ago. A reminder's row stays: it keeps it from being sent again."""
        arrived = self.filter(state__in=["DELIVERED", "SKIPPED"], settled_at__lt=settled_before)
        return arrived.exclude(reminds_of__gt=now)

    def in_state(self, state: str) -> Self:
        return self.filter(state=state) if state else self

    def to_webhooks_run_by(self, user: User) -> Self:
        return self.filter(
            endpoint__channel="WEBHOOK", endpoint__space__in=Space.objects.run_by(user)
        )

    def seen_by(self, user: User) -> Self:
        return self if user.is_superuser else self.to_webhooks_run_by(user)

    def with_webhook(self) -> Self:
        return self.with_event().select_related("endpoint__space")

    def dead(self) -> Self:
        return self.filter(state="DEAD")

    def due(self, now: datetime) -> Self:
        """What may be sent now: it is due, and nobody else has claimed it."""
        free = Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
        return self.pending().filter(free, due_at__lte=now)

    def waiting_for_another_try(self, now: datetime) -> Self:
        """What is not due yet. Everything is due at first, so these have failed."""
        return self.pending().filter(due_at__gt=now)

    def next_of_each_booking(self) -> Self:
        """Leave out those waiting behind an earlier one of the same booking and endpoint.

        The earliest is looked up for each row, by its index. An anti-join is equivalent, but a
        planner whose statistics are older than a burst runs it as a nested loop.
        """
        earliest = self.model._default_manager.filter(
            state="PENDING",
            endpoint=OuterRef("endpoint"),
            booking=OuterRef("booking"),
            position__isnull=False,
        ).order_by("position")
        return self.filter(Q(position=None) | Q(position=Subquery(earliest.values("position")[:1])))

    def overtaking(self, delivery: Any) -> Self:
        """Later ones of the same booking that have arrived: an older one would now mislead."""
        later = self.filter(endpoint=delivery.endpoint_id, booking=delivery.booking_id)
        return later.filter(position__gt=delivery.position, state="DELIVERED")

    def about(self, booking: int | None, sequence: int) -> Self:
        """Those of one event of a booking."""
        return self.filter(event__booking=booking, event__sequence=sequence)

    def latest_first(self) -> Self:
        return self.order_by("-pk")

    def with_event(self) -> Self:
        """Select what a message is built from."""
        return self.select_related("event__booking__place__space", "booking__place__space")


class FeedQuerySet[C: models.Model](models.QuerySet[C]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def of_own_bookings(self, user: User) -> Self:
        return self.of(user).filter(space=None)

    def in_space(self, user: User, space: Space) -> Self:
        """What a person made for a space and its places: the space first, then by number."""
        found = self.of(user).filter(space=space).select_related("space", "place__space")
        return found.order_by(F("place__number").asc(nulls_first=True))

    def of_people_here(self) -> Self:
        return self.filter(user__is_active=True)
