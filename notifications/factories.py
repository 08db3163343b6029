"""The smallest valid rows, for tests."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from notifications.models import Endpoint

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)


class WebhookFactory(DjangoModelFactory[Endpoint]):
    class Meta:
        model = Endpoint

    channel = Endpoint.Channel.WEBHOOK
    space = factory.SubFactory("spaces.factories.SpaceFactory")
    url = factory.Sequence(lambda n: f"https://hooks.example/{n}")
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - signs nothing real
    created_at = NOW
    listens_since = NOW
