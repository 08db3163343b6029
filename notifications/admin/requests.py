"""Booking requests that could not even be accepted. They name no space, so superusers see them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts.admin import SuperusersOnly
from notifications.models import RefusedRequest


@admin.register(RefusedRequest)
class RefusedRequestAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reason", "beginning", "topic", "partition", "offset", "received_at"]
    search_fields = ["reason", "value"]
    ordering = ["-received_at", "-pk"]
    list_per_page = 50
    show_full_result_count = False
    fields = ["reason", ("topic", "partition", "offset"), "received_at", "value"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("request"))
    def beginning(self, refused: RefusedRequest) -> str:
        return Truncator(refused.value).chars(80)
