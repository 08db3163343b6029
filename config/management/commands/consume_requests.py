"""Booking requests from Kafka: `manage.py consume_requests`."""

from typing import Any

from confluent_kafka import KafkaException
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.management.commands.worker import stop_signals
from notifications.kafka.clients import logger
from notifications.kafka.consuming import Requests


class Command(BaseCommand):
    help = (
        "Accept the booking requests of KAFKA_REQUESTS_TOPIC; a worker decides them. Several may "
        "run at once. What can't become a booking is in the admin, under refused requests. "
        "SIGTERM stops it after the request in hand."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        topic = settings.KAFKA["requests_topic"]
        if not topic or not settings.KAFKA["bootstrap_servers"]:
            raise CommandError("Set KAFKA_BOOTSTRAP_SERVERS and KAFKA_REQUESTS_TOPIC.")
        with stop_signals() as is_stopping:
            try:
                requests = Requests(is_stopping)
                logger.info("Reading requests from %s", topic)
                requests.run()
            except KafkaException as error:
                raise CommandError(f"Kafka: {error}") from error
            logger.info("Accepted %d, refused %d", requests.accepted, requests.refused)
