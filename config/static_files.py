"""Which static files `collectstatic` takes."""

from django.contrib.staticfiles.apps import StaticFilesConfig

# Django Ninja brings a second page of documentation that we don't show: a third of all bytes,
# and of the time that compressing them takes.
IGNORED = [*StaticFilesConfig.ignore_patterns, "redoc*"]
