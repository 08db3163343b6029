"""One delivery to a webhook, for the managers of its space: what was sent, what came back."""

import json
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import AuthenticatedRequest
from notifications.models import Delivery
from notifications.webhooks import services
from notifications.webhooks.messages import payload
from notifications.webhooks.sentences import in_words
from spaces.staff_admin import MANAGERS, holds


@require_safe
@never_cache
def delivery(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Show request, answers and times; while it is on its way, the page can be reloaded."""
    found = _delivery(request, code)
    context = {
        "delivery": found,
        "webhook": found.endpoint,
        "space": found.endpoint.space,
        "error": in_words(found.error),
        # Sent without line breaks; rebuilt from the event, which may have forgotten a person.
        "body": json.dumps(payload(found), ensure_ascii=False, indent=2, sort_keys=True),
        "attempts": [(each, in_words(each.error)) for each in found.log.order_by("-pk")],
        "now": timezone.now(),
    }
    return render(request, "notifications/delivery.html", context)


@require_POST
def delivery_resend(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Send it again, or at once if it is waiting for its next try, with the same id."""
    found = _delivery(request, code)
    try:
        is_sent = services.resend(found, now=timezone.now())
    except services.WebhookError as error:
        messages.error(request, str(error))
    else:
        words = _("It is being sent again.") if is_sent else _("It is already on its way.")
        messages.success(request, words)
    return redirect("delivery", found.code)


def _delivery(request: AuthenticatedRequest, code: UUID) -> Delivery:
    mine = Delivery.objects.to_webhooks_run_by(request.user).with_webhook()
    found: Delivery = get_object_or_404(mine, code=code)
    if not holds(request, MANAGERS, found.endpoint.space_id):
        raise PermissionDenied
    return found
