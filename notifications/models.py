"""Who is told: endpoints that listen, and what is on its way to each of them."""

from typing import ClassVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MaxLengthValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from bookings.models import Booking, BookingEvent
from notifications.querysets import DeliveryQuerySet, EndpointQuerySet, FeedQuerySet
from spaces.models import Place, Space


class Endpoint(models.Model):
    """One listener: the members' mail, Kafka, guests' phones, or a webhook of a space."""

    class Channel(models.TextChoices):
        MAIL = "MAIL", _("mail")
        KAFKA = "KAFKA", "Kafka"
        WEBHOOK = "WEBHOOK", _("webhook")
        SMS = "SMS", _("SMS")

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    channel = models.CharField(_("channel"), max_length=7, choices=Channel.choices)
    space = models.ForeignKey(
        Space,
        on_delete=models.CASCADE,
        null=True,
        related_name="endpoints",
        verbose_name=_("space"),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        validators=[URLValidator(["http", "https"]), MaxLengthValidator(500)],
    )
    # Values of `BookingEvent.Kind`; empty: every kind.
    kinds = models.JSONField(_("events"), default=list, blank=True)
    is_active = models.BooleanField(_("switched on"), default=True)
    # Stored in clear, because signing needs it. Shown to people once.
    secret = models.CharField(max_length=100, blank=True, editable=False)
    # Also signs until then, so that a receiver can switch without losing a call.
    previous_secret = models.CharField(max_length=100, blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("added"))
    # Since when it hears what it does: what happened before may be missing without being lost.
    # The database default lets a process of the previous release insert rows while both run.
    listens_since = models.DateTimeField(db_default=Now(), editable=False)
    # In a row. The relay rests a listener that keeps failing.
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    rests_until = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["Endpoint"]] = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="WEBHOOK", space__isnull=False) & ~Q(url="") & ~Q(secret="")
                | ~Q(channel="WEBHOOK") & Q(space__isnull=True),
                name="endpoint_of_a_space",
            ),
            models.UniqueConstraint(
                fields=["channel"], condition=Q(space__isnull=True), name="endpoint_channel_once"
            ),
        ]

    def __str__(self) -> str:
        return self.url or str(self.get_channel_display())

    @property
    def zone(self) -> ZoneInfo:
        """The space's; UTC if there is none."""
        return self.space.zone if self.space else ZoneInfo("UTC")

    def wants(self, event: BookingEvent) -> bool:
        """Tell whether this kind of event was asked for."""
        return not self.kinds or event.kind in self.kinds


class Delivery(models.Model):
    """One message to one endpoint, and how that went."""

    class Purpose(models.TextChoices):
        EVENT = "EVENT", _("event")
        REMINDER = "REMINDER", _("reminder")
        PING = "PING", _("test")

    class State(models.TextChoices):
        PENDING = "PENDING", _("waiting")
        DELIVERED = "DELIVERED", _("delivered")
        SKIPPED = "SKIPPED", _("not needed")
        DEAD = "DEAD", _("given up")

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.CASCADE,
        related_name="deliveries",
        verbose_name=_("endpoint"),
        db_index=False,  # other indexes start with it
    )
    purpose = models.CharField(
        _("what"), max_length=8, choices=Purpose.choices, default=Purpose.EVENT
    )
    event = models.ForeignKey(
        BookingEvent,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        verbose_name=_("event"),
        db_index=False,  # nobody looks for the deliveries of an event
    )
    # The event's, copied here: a booking's next event is sent when the previous one is settled.
    booking = models.ForeignKey(
        Booking,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        verbose_name=_("booking"),
    )
    position = models.PositiveBigIntegerField(null=True)
    # What a reminder is about: a booking that moves gets a new one.
    reminds_of = models.DateTimeField(null=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    created_at = models.DateTimeField(_("received"))
    due_at = models.DateTimeField(_("next try"))
    # When it was first due, or due after somebody asked to send it again.
    asked_at = models.DateTimeField()
    # Until then only the claimer may send it; afterwards anyone may. It also identifies the claim.
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True)
    error = models.CharField(_("what went wrong"), max_length=500, blank=True)

    objects: ClassVar[models.Manager["Delivery"]] = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event"],
                condition=Q(purpose="EVENT"),
                name="delivery_of_an_event_once",
            ),
            models.UniqueConstraint(
                fields=["endpoint", "booking", "reminds_of"],
                condition=Q(purpose="REMINDER"),
                name="delivery_of_a_reminder_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    purpose="EVENT",
                    event__isnull=False,
                    booking__isnull=False,
                    position__isnull=False,
                )
                | Q(purpose="REMINDER", booking__isnull=False, reminds_of__isnull=False)
                | Q(purpose="PING"),
                name="delivery_of_something",
            ),
            models.CheckConstraint(
                condition=Q(state="PENDING", settled_at__isnull=True)
                | ~Q(state="PENDING") & Q(settled_at__isnull=False),
                name="delivery_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "id"],
                name="delivery_due",
                condition=Q(state="PENDING"),
            ),
            models.Index(
                fields=["endpoint", "booking", "position"],
                name="delivery_in_order",
                condition=Q(state="PENDING"),
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_latest"),
            models.Index(fields=["settled_at"], name="delivery_settled_at"),
        ]

    def __str__(self) -> str:
        return str(self.code)

    @property
    def zone(self) -> ZoneInfo:
        """That of the booking's space, whoever is told."""
        return self.booking.place.space.zone if self.booking else self.endpoint.zone


class Attempt(models.Model):
    """One call of a webhook: what was sent, what came back, how long it took.

    The body that was sent is not kept: it is rebuilt from the event, which may have been made to
    forget a person since.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    request_headers = models.JSONField(default=dict)
    status = models.PositiveSmallIntegerField(null=True)  # empty when nobody answered
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)  # only the beginning
    error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"


class Cursor(models.Model):
    """How far the relay has read the log. One row, which is also its lock."""

    position = models.PositiveBigIntegerField(default=0)
    # Nobody is told what happened before this release was installed. None: everything is new.
    since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.position)


class MailPreference(models.Model):
    """Which mail a member wants. No row: everything."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_preference"
    )
    reminders = models.BooleanField(_("Remind me of my bookings by mail"), default=True)

    def __str__(self) -> str:
        return str(self.user)


class CalendarFeed(models.Model):
    """A secret address that a calendar app reads; deleting the row closes it.

    It shows the person's own bookings or, for staff, those of a space or of one place.
    """

    code = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feeds"
    )
    space = models.ForeignKey(Space, on_delete=models.CASCADE, null=True, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["CalendarFeed"]] = FeedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(space__isnull=False) | Q(place__isnull=True),
                name="feed_of_a_place_in_a_space",
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(space__isnull=True), name="feed_of_a_person_once"
            ),
            models.UniqueConstraint(
                fields=["user", "space"],
                condition=Q(space__isnull=False, place__isnull=True),
                name="feed_of_a_space_once",
            ),
            models.UniqueConstraint(
                fields=["user", "place"],
                condition=Q(place__isnull=False),
                name="feed_of_a_place_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.code)


class RefusedRequest(models.Model):
    """A booking request from Kafka that could not be accepted, kept for the staff to see."""

    topic = models.CharField(max_length=249)
    partition = models.PositiveIntegerField()
    offset = models.PositiveBigIntegerField()
    value = models.TextField(blank=True)
    reason = models.CharField(max_length=500)
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = _("refused request")
        verbose_name_plural = _("refused requests")
        constraints = [
            models.UniqueConstraint(
                fields=["topic", "partition", "offset"], name="refused_request_once"
            ),
        ]
        indexes = [models.Index(fields=["received_at"], name="refused_request_by_age")]

    def __str__(self) -> str:
        return f"{self.topic} {self.partition} {self.offset}"
