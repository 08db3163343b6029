"""Which static files `collectstatic` takes."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    # Django Ninja brings a second page of documentation that we don't show: a third of all bytes,
    # and of the time that compressing them takes.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc*"]
