"""Booking requests that could not be accepted. They name no space, so only superusers see them."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts.admin import SuperusersOnly
from accounts.long_lists import NotCounted
from bookings.admin import wording
from notifications.admin.titles import PlainTitles
from notifications.models import RefusedRequest


@admin.register(RefusedRequest)
class RefusedRequestAdmin(SuperusersOnly, NotCounted, PlainTitles):
    """Read-only; the sender is told nothing, because nobody knows who it was."""

    list_display = ["why", "beginning", "origin", "received"]
    search_fields = ["reason", "value"]
    ordering = ["-received_at", "-pk"]
    list_per_page = 50
    fields = ["why", "origin", "received", "whole"]
    readonly_fields = ["why", "origin", "received", "whole"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, refused: RefusedRequest) -> str:
        return refused.reason

    @admin.display(description=_("request"))
    def beginning(self, refused: RefusedRequest) -> str:
        return Truncator(refused.value).chars(80)

    @admin.display(description=_("request"))
    def whole(self, refused: RefusedRequest) -> str:
        return refused.value

    @admin.display(description=_("topic, partition, offset"))
    def origin(self, refused: RefusedRequest) -> str:
        return f"{refused.topic}, {refused.partition}, {refused.offset}"

    @admin.display(description=_("received"), ordering="received_at")
    def received(self, refused: RefusedRequest) -> str:
        return f"{wording.moment(refused.received_at, ZoneInfo('UTC'))} UTC"
