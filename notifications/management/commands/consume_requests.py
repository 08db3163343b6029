"""The process that reads booking requests from Kafka: `manage.py consume_requests`."""

import logging
import signal
from threading import Event
from typing import Any

from confluent_kafka import KafkaException
from django.conf import settings
from django.core.management.base import CommandError

from accounts import commands
from notifications.kafka.consuming import Requests

logger = logging.getLogger("mesto.kafka")


class Command(commands.Command):
    help = (
        "Read booking requests from the topic KAFKA_REQUESTS_TOPIC and queue them for the worker "
        "to decide. Several may run at once: they share the topic's partitions. SIGTERM stops it "
        "after the current request."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.KAFKA["requests_topic"] and settings.KAFKA["bootstrap_servers"]):
            raise CommandError(
                "There is nowhere to read requests from: set KAFKA_REQUESTS_TOPIC and "
                "KAFKA_BOOTSTRAP_SERVERS."
            )
        # Not restored: the process ends with the command.
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logger.info("taking requests from %s", settings.KAFKA["requests_topic"])
        try:
            requests = Requests()
            requests.run(is_stopping=stop.is_set)
        except KafkaException as error:
            raise CommandError(f"Kafka: {error}") from error
        logger.info("stopped: %d accepted, %d refused", requests.accepted, requests.refused)
