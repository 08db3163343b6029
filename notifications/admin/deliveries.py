"""What was sent to whom, and how it went; anything given up can be sent again here."""

from itertools import batched
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from bookings.admin import wording
from notifications import relay
from notifications.admin.filters import (
    PARAMETERS,
    ChannelFilter,
    EndpointFilter,
    StateFilter,
    written,
)
from notifications.admin.titles import PlainTitles
from notifications.models import Delivery, Endpoint
from notifications.webhooks.sentences import in_words
from spaces.staff_admin import MANAGERS, SpaceScopedAdmin, holds


@admin.register(Delivery)
class DeliveryAdmin(PlainTitles, SpaceScopedAdmin):
    """Read-only, except for sending again."""

    space_path = "endpoint__space"
    list_display = ["what", "about", "to", "state", "attempts", "queued", "why_in_short"]
    list_filter = [StateFilter, ChannelFilter, EndpointFilter]
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    actions = ["send_again"]
    ordering = ["-pk"]
    view_on_site = False
    fields = [
        ("what", "state"),
        "to",
        "its_booking",
        ("queued", "attempts"),
        ("next_try", "settled"),
        "why",
        "its_page",
    ]
    readonly_fields = [
        "what",
        "to",
        "its_booking",
        "queued",
        "next_try",
        "settled",
        "why",
        "its_page",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        user: User = request.user  # type: ignore[assignment]  # signed in
        return Delivery.objects.seen_by(user).with_webhook().latest_first()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return holds(request, MANAGERS)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Answer 400 to filters that this page doesn't have."""
        return lookup in PARAMETERS

    @admin.action(description=_("Send again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """Send again what is settled or waiting for its next try, if its endpoint is on."""
        if not request.user.is_superuser:
            deliveries = self.writable(request, deliveries)
        chosen = list(deliveries)
        on = [delivery for delivery in chosen if delivery.endpoint.is_active]
        now = timezone.now()
        sent = sum(relay.resend(some, now=now) for some in batched(on, relay.CHUNK))
        text = ngettext(
            "%(n)d delivery is being sent again.", "%(n)d deliveries are being sent again.", sent
        )
        messages.success(request, text % {"n": sent})
        if off := len(chosen) - len(on):
            text = ngettext(
                "%(n)d was left out: its webhook is off.",
                "%(n)d were left out: their webhooks are off.",
                off,
            )
            messages.warning(request, text % {"n": off})

    @admin.display(description=_("what"))
    def what(self, delivery: Delivery) -> str:
        if delivery.purpose == Delivery.Purpose.EVENT and delivery.event is not None:
            return capfirst(delivery.event.get_kind_display())
        return capfirst(delivery.get_purpose_display())

    @admin.display(description=_("endpoint"))
    def to(self, delivery: Delivery) -> str:
        return written(delivery.endpoint)

    @admin.display(description=_("booking"))
    def about(self, delivery: Delivery) -> str:
        return str(delivery.booking.place) if delivery.booking else "–"

    @admin.display(description=_("booking"))
    def its_booking(self, delivery: Delivery) -> str:
        if delivery.booking is None:
            return "–"
        url = reverse("admin:bookings_booking_change", args=[delivery.booking.pk])
        zone = delivery.booking.place.space.zone
        words = f"{delivery.booking.place}, {wording.when(delivery.booking.period, zone)}"
        return format_html('<a href="{}">{}</a>', url, words)

    @admin.display(description=_("queued"))
    def queued(self, delivery: Delivery) -> str:
        return wording.moment(delivery.created_at, delivery.zone)

    @admin.display(description=_("next try"))
    def next_try(self, delivery: Delivery) -> str:
        if delivery.state != Delivery.State.PENDING:
            return "–"
        return wording.moment(delivery.due_at, delivery.zone)

    @admin.display(description=_("settled"))
    def settled(self, delivery: Delivery) -> str:
        at = delivery.settled_at
        return wording.moment(at, delivery.zone) if at else "–"

    @admin.display(description=_("what went wrong"))
    def why(self, delivery: Delivery) -> str:
        return in_words(delivery.error) or "–"

    @admin.display(description=_("what went wrong"))
    def why_in_short(self, delivery: Delivery) -> str:
        return Truncator(self.why(delivery)).chars(50)

    @admin.display(description=_("request and answers"))
    def its_page(self, delivery: Delivery) -> str:
        if delivery.endpoint.channel != Endpoint.Channel.WEBHOOK:
            return "–"
        url = reverse("delivery", args=[delivery.code])
        return format_html('<a href="{}">{}</a>', url, _("Page of the delivery"))
