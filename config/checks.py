"""Wrong settings, said plainly before anyone is served."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def secret_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY:
        return []
    return [
        Error(
            "SECRET_KEY is empty.",
            hint="Set it in the environment or in .env; `make run` makes one.",
            id="mesto.E001",
        )
    ]


@register()
def trusted_proxies(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXIES >= 0:
        return []
    return [
        Error(
            "TRUSTED_PROXIES is negative.",
            hint="How many proxies of your own stand in front: 0 when none, 1 on Render.",
            id="mesto.E002",
        )
    ]


@register(deploy=True)
def shared_database(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        return []
    return [
        Warning(
            "The database is SQLite: one machine, one disk.",
            hint="Set DATABASE_URL=postgres://user:password@host:5432/name in production.",
            id="mesto.W001",
        )
    ]
