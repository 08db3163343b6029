"""What our commands have in common."""

from django.core.management.base import BaseCommand

# Tags of checks.
MESTO = "mesto"  # of settings; a web process that starts checks them too: see config/wsgi.py
KAFKA = "kafka"  # asks librdkafka, whose threads don't survive a fork


class Command(BaseCommand):
    """A command that checks the settings before it begins, and no more.

    Django would check models, pages and the admin every time. They are the same since `make check`,
    and loading all of them takes longer than most commands.
    """

    requires_system_checks = (MESTO, KAFKA)
