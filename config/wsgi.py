"""The entry point for gunicorn."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.checks import stop_at_errors  # noqa: E402  # the applications are loaded by now
from config.handler import Handler  # noqa: E402  # likewise

application = Handler()
stop_at_errors()
