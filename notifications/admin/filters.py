"""Filters for the lists of endpoints and deliveries."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from notifications.models import Delivery, Endpoint


def written(endpoint: Endpoint) -> str:
    """Return an address, which needs no translation, or a channel's name, which does."""
    if endpoint.url:
        return format_html('<span lang="zxx">{}</span>', endpoint.url)
    return capfirst(endpoint.get_channel_display())


class ChannelFilter(SimpleListFilter):
    """For superusers only: a space's staff see nothing but webhooks."""

    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Endpoint.Channel.choices) if request.user.is_superuser else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        path = "channel" if queryset.model is Endpoint else "endpoint__channel"
        return queryset if self.value() is None else queryset.filter(**{path: self.value()})


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Delivery.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(state=self.value())


class EndpointFilter(SimpleListFilter):
    """The person's own webhooks, plus mail and Kafka for superusers."""

    title = _("endpoint")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = Endpoint.objects.seen_by(request.user).by_age()  # type: ignore[arg-type]  # signed in
        return [(str(endpoint.code), written(endpoint)) for endpoint in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        try:
            return queryset.filter(endpoint__code=self.value())
        except ValidationError:  # no code at all
            return queryset.none()


#: The filters that a list's URL may contain. Django would accept any lookup on any column.
PARAMETERS = {found.parameter_name for found in (ChannelFilter, StateFilter, EndpointFilter)}
