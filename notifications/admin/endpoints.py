"""Endpoints and how they are doing. The page for changing a webhook is one click away."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from bookings.admin import wording
from bookings.admin.pages import lines, methods, page
from bookings.models import BookingEvent
from notifications.admin.filters import PARAMETERS, ChannelFilter, written
from notifications.admin.titles import PlainTitles
from notifications.models import Endpoint
from notifications.webhooks import services
from notifications.webhooks.forms import AddWebhookToForm
from notifications.webhooks.guard import AddressRefused
from notifications.webhooks.sentences import in_words
from spaces.staff_admin import SpaceScopedAdmin


@admin.register(Endpoint)
class EndpointAdmin(PlainTitles, SpaceScopedAdmin):
    """Shows no secrets, except that of a new webhook, once."""

    list_display = ["endpoint", "channel", "space", "is_active", "failing", "waiting", "dead"]
    list_filter = [ChannelFilter]
    list_select_related = ["space"]
    show_facets = admin.ShowFacets.NEVER
    ordering = ["created_at", "pk"]
    actions = ["switch_on", "switch_off"]
    view_on_site = False
    fields = ["endpoint", "channel", "space", "events", "is_active", "added", "failing", "its_page"]
    readonly_fields = ["endpoint", "events", "added", "failing", "its_page"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        user: User = request.user  # type: ignore[assignment]  # signed in
        return Endpoint.objects.seen_by(user).with_space().with_health().order_by(*self.ordering)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Answer 400 to filters that this page doesn't have."""
        return lookup in PARAMETERS

    @method_decorator(methods)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Add a webhook and show its secret. A view of our own, because it may wait for DNS."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        user: User = request.user  # type: ignore[assignment]  # signed in
        form = AddWebhookToForm(request.POST if request.method == "POST" else None, by=user)
        made, secret = self._add(form, user) if form.is_valid() else (None, "")
        if made is not None:
            title = _("The webhook is added")
            return self._page(request, made=made, secret=secret, status=201, title=title)
        fields = lines(form, "space", "url", "kinds")
        status = 422 if form.errors else 200
        return self._page(
            request, form=form, adminform=fields, status=status, title=_("Add a webhook")
        )

    def _add(self, form: AddWebhookToForm, user: User) -> tuple[Endpoint | None, str]:
        values = form.cleaned_data
        asked = {"url": values["url"], "kinds": values["kinds"], "code": values["request_key"]}
        try:
            return services.add(values["space"], **asked, by=user, now=timezone.now())
        except AddressRefused as error:
            form.add_error("url", in_words(error.sentence))
        except services.WebhookError as error:
            form.add_error(None, str(error))
        return None, ""

    def _page(self, request: HttpRequest, **context: Any) -> TemplateResponse:
        return page(self, request, "admin/notifications/endpoint/add.html", **context)

    @admin.action(description=_("Switch on selected webhooks"), permissions=["switch"])
    def switch_on(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        count = self._switch(request, endpoints, on=True)
        text = ngettext("%(n)d webhook is on.", "%(n)d webhooks are on.", count)
        messages.success(request, text % {"n": count})

    @admin.action(description=_("Switch off selected webhooks"), permissions=["switch"])
    def switch_off(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        count = self._switch(request, endpoints, on=False)
        text = ngettext("%(n)d webhook is off.", "%(n)d webhooks are off.", count)
        messages.success(request, text % {"n": count})

    def _switch(self, request: HttpRequest, endpoints: QuerySet[Endpoint], *, on: bool) -> int:
        user: User = request.user  # type: ignore[assignment]  # signed in
        chosen = list(self.writable(request, endpoints))
        for endpoint in chosen:
            services.switch(endpoint, on=on, by=user)
        return len(chosen)

    @admin.display(description=_("address"))
    def endpoint(self, endpoint: Endpoint) -> str:
        return written(endpoint)

    @admin.display(description=_("events"))
    def events(self, endpoint: Endpoint) -> str:
        labels = dict(BookingEvent.Kind.choices)
        return ", ".join(str(labels.get(kind, kind)) for kind in endpoint.kinds) or str(_("all"))

    @admin.display(description=_("added"))
    def added(self, endpoint: Endpoint) -> str:
        return wording.moment(endpoint.created_at, endpoint.zone)

    @admin.display(description=_("failing since"))
    def failing(self, endpoint: Endpoint) -> str:
        since = endpoint.failing_since
        return wording.moment(since, endpoint.zone) if since else "–"

    @admin.display(description=_("waiting"))
    def waiting(self, endpoint: Endpoint) -> int:
        found: int = endpoint.waiting  # type: ignore[attr-defined]  # with_health
        return found

    @admin.display(description=_("given up"))
    def dead(self, endpoint: Endpoint) -> str:
        found: int = endpoint.dead  # type: ignore[attr-defined]  # with_health
        query = {"endpoint": str(endpoint.code), "state": "DEAD"}
        url = reverse("admin:notifications_delivery_changelist", query=query)
        return format_html('<a href="{}">{}</a>', url, found) if found else "0"

    @admin.display(description=_("change, test, secret"))
    def its_page(self, endpoint: Endpoint) -> str:
        if endpoint.channel != Endpoint.Channel.WEBHOOK:
            return "–"
        url = reverse("webhook", args=[endpoint.code])
        return format_html('<a href="{}">{}</a>', url, _("Page of the webhook"))
