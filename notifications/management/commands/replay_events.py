"""Send history again: `manage.py replay_events --to kafka --since 2026-11-01`."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from accounts import commands
from bookings.models import BookingEvent
from notifications import relay
from notifications.models import Endpoint

MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def instant(text: str) -> datetime:
    """Parse ISO 8601, a date or an instant; UTC if there is no offset."""
    try:
        if not MOMENT.fullmatch(text):  # Python reads more than anybody writes
            raise ValueError(text)
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(
            f"{text!r} is not a date such as 2026-11-25 or 2026-11-25T13:00Z"
        ) from error


class Command(commands.Command):
    help = (
        "Send events from the log to one listener again, whether it has had them or not. They keep "
        "their ids, so that a listener recognises them; one booking's come in order. The "
        "worker sends them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to",
            required=True,
            help="mail, kafka, or the code in the address of a webhook's page",
        )
        parser.add_argument(
            "--since", type=instant, help="events from then on, such as 2026-11-25 (UTC)"
        )
        parser.add_argument("--until", type=instant, help="events before then")
        parser.add_argument(
            "--booking", type=UUID, help="only events of the booking with this code"
        )

    def handle(
        self,
        *args: Any,
        to: str,
        since: datetime | None,
        until: datetime | None,
        booking: UUID | None,
        **options: Any,
    ) -> None:
        if since and until and since >= until:
            raise CommandError("--since is not before --until: nothing happened in between.")
        endpoint = _endpoint(to)
        events = BookingEvent.objects.between(since, until)
        if booking is not None:
            events = events.of_booking(booking)
            if not events.exists():
                raise CommandError(f"Nothing happened then to a booking {booking}.")
        told = relay.replay(events, to=endpoint, now=timezone.now())
        counted = "1 event is" if told == 1 else f"{told} events are"
        self.stdout.write(f"{counted} on the way to {endpoint}.")
        if not endpoint.is_active:
            self.stdout.write("It is switched off: they wait until it is switched on.")
        if endpoint.channel == Endpoint.Channel.KAFKA and not settings.KAFKA["bootstrap_servers"]:
            self.stdout.write("KAFKA_BOOTSTRAP_SERVERS is not set: they wait until it is.")


def _endpoint(to: str) -> Endpoint:
    if to in ("mail", "kafka"):
        return relay.endpoint_of(Endpoint.Channel(to.upper()), now=timezone.now())
    try:
        return Endpoint.objects.get(code=UUID(to))
    except (ValueError, Endpoint.DoesNotExist) as error:
        raise CommandError(
            f"{to!r} is not an endpoint. Use mail, kafka or the code in the address of a webhook's "
            "page."
        ) from error
