"""The entry point for gunicorn."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from django.urls import reverse  # noqa: E402  # the applications are loaded by now

from config.checks import stop_at_errors  # noqa: E402  # likewise
from config.handler import Handler  # noqa: E402  # likewise

application = Handler()
stop_at_errors()
# Loads all views, before the fork. Each worker would do it at its first request; on a machine
# that is busy enough, that took longer than a worker may take, and so did the next worker's.
reverse("home")
