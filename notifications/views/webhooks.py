"""A space's webhooks, for its managers: add, change, test, see what happened, send again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again
from notifications.models import Endpoint
from notifications.webhooks import services
from notifications.webhooks.forms import AddWebhookForm, DeliveriesForm, WebhookForm
from notifications.webhooks.guard import AddressRefused
from notifications.webhooks.sentences import in_words
from spaces.models import Space
from spaces.staff_admin import ANY_ROLE, MANAGERS, holds

LATEST = 20  # deliveries on a webhook's page

methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@never_cache
def webhook_spaces(request: AuthenticatedRequest) -> HttpResponse:
    """List the spaces that this person manages, and how their webhooks are doing."""
    if not holds(request, ANY_ROLE):
        raise PermissionDenied
    spaces = Space.objects.managed_by(request.user).order_by("name", "pk")
    lines = {space.pk: SpaceLine(space) for space in spaces}
    for webhook in Endpoint.objects.webhooks_run_by(request.user).with_health():
        if line := lines.get(webhook.space_id or 0):
            line.webhooks += 1
            line.failing += webhook.is_active and webhook.failing_since is not None
            line.dead += webhook.dead  # type: ignore[attr-defined]  # with_health
    return render(request, "notifications/webhook_spaces.html", {"lines": lines.values()})


@dataclass
class SpaceLine:
    """How many webhooks a space has, and how they are doing."""

    space: Space
    webhooks: int = 0
    failing: int = 0
    dead: int = 0  # messages that were given up


@never_cache
@methods
@asks_again("POST")
def webhooks(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """List a space's webhooks; add one and show its secret.

    The secret appears in the answer to the POST and nowhere else, like an API token's text.
    """
    space = get_object_or_404(Space.objects.run_by(request.user), slug=slug)
    _for_managers(request, space.pk)
    form = AddWebhookForm(_data(request))
    made, secret, status = None, "", 200
    if form.is_valid():
        try:
            made, secret = services.add(
                space,
                url=form.cleaned_data["url"],
                kinds=form.cleaned_data["kinds"],
                by=request.user,
                now=timezone.now(),
                code=form.cleaned_data["request_key"],
            )
        except AddressRefused as error:
            form.add_error("url", in_words(error.sentence))
        except services.AlreadyAdded as error:
            messages.warning(request, str(error))
            return redirect("webhooks", space.slug)
        except services.WebhookError as error:
            form.add_error(None, str(error))
        else:
            form, status = AddWebhookForm(), 201
    context = {
        "space": space,
        "form": form,
        "made": made,
        "secret": secret,
        "webhooks": Endpoint.objects.webhooks_of(space).with_health().by_age(),
    }
    status = 422 if form.errors else status
    return render(request, "notifications/webhooks.html", context, status=status)


@never_cache
@methods
def webhook(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Show how a webhook is doing and what it was sent lately; POST changes it."""
    found = _webhook(request, code)
    form = WebhookForm(_data(request), initial=WebhookForm.values_of(found))
    if form.is_valid():
        try:
            services.change(found, by=request.user, **form.cleaned_data)
        except AddressRefused as error:
            form.add_error("url", in_words(error.sentence))
        else:
            messages.success(request, _("Saved."))
            return redirect("webhook", found.code)
    chosen = DeliveriesForm(request.GET)
    deliveries = found.deliveries.in_state(chosen.chosen()).latest_first().with_event()[:LATEST]
    context = {
        "webhook": found,
        "space": found.space,
        "form": form,
        "filter": chosen,
        "chosen": chosen.chosen(),
        "deliveries": [(each, in_words(each.error)) for each in deliveries],
        "latest": LATEST,
        "next_at": _next_at(found),
        "now": timezone.now(),
    }
    status = 422 if form.errors else 200
    return render(request, "notifications/webhook.html", context, status=status)


@require_POST
def webhook_ping(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Send a test."""
    found = _webhook(request, code)
    try:
        made = services.ping(found, now=timezone.now())
    except services.WebhookError as error:
        messages.error(request, str(error))
        return redirect("webhook", found.code)
    return redirect("delivery", made.code)


@require_POST
def webhook_switch(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Switch a webhook on (`on=1`) or off (`on=0`)."""
    found = _webhook(request, code)
    if request.POST.get("on") not in ("0", "1"):
        raise BadRequest
    on = request.POST["on"] == "1"
    services.switch(found, on=on, by=request.user)
    words = _("Switched on.") if on else _("Switched off. What happens from now on is not sent.")
    messages.success(request, words)
    return redirect("webhook", found.code)


@never_cache
@methods
@asks_again("POST")
def webhook_secret(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then make a new secret and show it."""
    found = _webhook(request, code)
    context: dict[str, Any] = {"webhook": found, "space": found.space}
    if request.method == "POST":
        try:
            context["secret"] = services.new_secret(
                found, by=request.user, now=timezone.now(), seen=request.POST.get("seen", "")
            )
        except services.WebhookError as error:
            messages.warning(request, str(error))
            return redirect("webhook_secret", found.code)
        found.refresh_from_db()
    context["seen"] = services.secret_mark(found)
    return render(request, "notifications/webhook_secret.html", context)


@never_cache
@methods
def webhook_remove(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then delete a webhook."""
    found = _webhook(request, code)
    if request.method != "POST":
        context = {"webhook": found, "space": found.space}
        return render(request, "notifications/webhook_remove.html", context)
    services.remove(found, by=request.user)
    messages.success(request, _("Deleted. Nothing more is sent there."))
    assert found.space is not None  # a constraint says so
    return redirect("webhooks", found.space.slug)


def _webhook(request: AuthenticatedRequest, code: UUID) -> Endpoint:
    mine = Endpoint.objects.webhooks_run_by(request.user).with_space().with_health()
    found: Endpoint = get_object_or_404(mine, code=code)
    _for_managers(request, found.space_id)
    return found


def _for_managers(request: AuthenticatedRequest, space: int | None) -> None:
    if not holds(request, MANAGERS, space):
        raise PermissionDenied


def _data(request: AuthenticatedRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _next_at(webhook: Endpoint) -> datetime | None:
    """Return when it is called next: when something is due and its rest is over."""
    due: datetime | None = webhook.next_at  # type: ignore[attr-defined]  # with_health
    if due is None or webhook.rests_until is None or not webhook.is_active:
        return due if webhook.is_active else None
    return max(due, webhook.rests_until)
