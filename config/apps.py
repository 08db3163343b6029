from django.apps import AppConfig, apps
from django.conf import settings


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - importing it registers the checks
        from config.static_files import IGNORED
        from config.watching import database, metrics

        metrics.listen()
        database.install()
        if settings.TRACES:
            from config.watching import tracing

            tracing.begin()
        if settings.SENTRY_DSN:
            from config.watching import reports

            reports.begin(settings.SENTRY_DSN)

        # Not by an application of our own: servers in tests look for Django's by its name.
        apps.get_app_config("staticfiles").ignore_patterns = IGNORED  # type: ignore[attr-defined]  # of the app
