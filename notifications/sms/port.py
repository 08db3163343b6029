"""What a provider of text messages has to do, and which one the settings name."""

from typing import Protocol

from django.conf import settings

from notifications.outcomes import Outcome
from notifications.sms.console import Console
from notifications.sms.twilio import Twilio


class Provider(Protocol):
    """Sends one text to one number, and says how that went. It never raises for the network."""

    def send(self, to: str, text: str) -> Outcome:
        """`to` is international: +44…"""


PROVIDERS: dict[str, type[Provider]] = {"console": Console, "twilio": Twilio}


def is_set() -> bool:
    """Tell whether text messages are sent at all."""
    return bool(settings.SMS["provider"])


def provider() -> Provider:
    return PROVIDERS[settings.SMS["provider"]]()
