"""The forms a manager fills in about a webhook."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookings.models import BookingEvent
from notifications.models import Delivery, Endpoint
from spaces.models import Space

EVERY_KIND = list(BookingEvent.Kind.values)


def _kinds() -> list[tuple[str, SafeString]]:
    words = '{} <code lang="zxx">booking.{}</code>'
    return [
        (value, format_html(words, capfirst(label), value.lower()))
        for value, label in BookingEvent.Kind.choices
    ]


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Begins with https:// and is reachable from the internet."),
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Events"),
        choices=_kinds,
        initial=EVERY_KIND,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With all of them ticked, it also gets what later releases add."),
        error_messages={"required": _("Choose at least one event.")},
    )

    def clean_kinds(self) -> list[str]:
        """Store "every kind" as no kind at all, so that it includes future ones."""
        kinds: list[str] = self.cleaned_data["kinds"]
        return [] if set(kinds) == set(EVERY_KIND) else kinds

    @staticmethod
    def values_of(webhook: Endpoint) -> dict[str, Any]:
        return {"url": webhook.url, "kinds": webhook.kinds or EVERY_KIND}


class AddWebhookForm(WebhookForm):
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class AddWebhookToForm(AddWebhookForm):
    """The same when no space is chosen yet."""

    space = forms.ModelChoiceField(label=_("Space"), queryset=Space.objects.none())
    field_order = ["space", "url", "kinds"]

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].widget.attrs["class"] = "vTextField"
        self.fields["space"].queryset = Space.objects.managed_by(by).order_by("name", "pk")  # type: ignore[attr-defined]  # a field of choices


class DeliveriesForm(forms.Form):
    """Which deliveries to show; anything invalid shows all."""

    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("all")), *Delivery.State.choices]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what can occur: only mail can be "not needed", webhooks get everything."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["state"]
        never = Delivery.State.SKIPPED
        field.widget.choices = [each for each in field.choices if each[0] != never]

    def chosen(self) -> str:
        self.is_valid()
        state: str = self.cleaned_data.get("state", "")
        return state
