"""What the forms of notifications do, for the person who submits one again."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.acts import filled_in
from accounts.models import User
from accounts.presses import ACTS, Act
from notifications.calendars import feeds
from notifications.forms import MailPreferenceForm
from notifications.models import CalendarFeed, Endpoint
from notifications.webhooks.forms import AddWebhookForm, WebhookForm


def register() -> None:
    ACTS["notifications"] = Act(_("Save"), filled_in(MailPreferenceForm))
    ACTS["calendar"] = Act(_("Make an address"))
    ACTS["space_calendars"] = Act(_("Make the address"))
    ACTS["renew_calendar"] = Act(_("Make a new address"), _calendar)
    ACTS["close_calendar"] = Act(_("Close the calendar"), _calendar, is_dangerous=True)
    ACTS["webhooks"] = Act(_("Add the webhook"), filled_in(AddWebhookForm))
    ACTS["webhook"] = Act(_("Save"), filled_in(WebhookForm))
    ACTS["webhook_ping"] = Act(_("Send a test"), _webhook)
    ACTS["webhook_switch"] = Act(_switch, _webhook)
    ACTS["webhook_secret"] = Act(_("Make a new secret"), _webhook)
    ACTS["webhook_remove"] = Act(_("Delete the webhook"), _webhook, is_dangerous=True)
    ACTS["delivery_resend"] = Act(_("Send again"))


def _switch(sent: QueryDict) -> str:
    return str(_("Switch on") if sent.get("on") == "1" else _("Switch off"))


def _calendar(
    sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
) -> list[str]:
    if not isinstance(reader, User):
        return []
    mine = CalendarFeed.objects.of(reader).select_related("space", "place__space")
    return [feeds.title(feed) for feed in mine.filter(code=address["code"])]


def _webhook(
    sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser
) -> list[str]:
    if not isinstance(reader, User):
        return []
    mine = Endpoint.objects.webhooks_run_by(reader)
    return [webhook.url for webhook in mine.filter(code=address["code"])]
