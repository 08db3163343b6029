from django.apps import AppConfig, apps


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - importing it registers the checks
        from config.static_files import IGNORED

        # Not by an application of our own: servers in tests look for Django's by its name.
        apps.get_app_config("staticfiles").ignore_patterns = IGNORED  # type: ignore[attr-defined]  # of the app
