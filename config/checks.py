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


@register()
def failure_limits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.AXES_FAILURE_LIMIT >= 1 and settings.ADDRESS_FAILURE_LIMIT >= 1:
        return []
    return [
        Error(
            "LOGIN_FAILURE_LIMIT or ADDRESS_FAILURE_LIMIT is less than 1.",
            hint="How many wrong passwords close a login, and an address, for a while.",
            id="mesto.E003",
        )
    ]


@register()
def decision_lease(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DECISION_LEASE_SECONDS > 0:
        return []
    return [
        Error(
            "DECISION_LEASE_SECONDS is not more than 0.",
            hint="Longer than the slowest decision takes: two workers would begin each at once.",
            id="mesto.E004",
        )
    ]


@register()
def api_rates(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if min(settings.API_RATES.values()) >= 1:
        return []
    return [
        Error(
            "API_RATE_PER_TOKEN or API_RATE_PER_ADDRESS is less than 1.",
            hint="How many requests of the API a token, and an address, may send a minute.",
            id="mesto.E005",
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


@register(deploy=True)
def shared_cache(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.CACHES["default"]["BACKEND"] != "django.core.cache.backends.locmem.LocMemCache":
        return []
    return [
        Warning(
            "The cache is in memory: the API's rate limits are counted per process.",
            hint="Set CACHE_URL=redis://host:6379/1, or divide the limits by the web processes.",
            id="mesto.W002",
        )
    ]


@register()
def webhook_timeout(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.WEBHOOKS["timeout_seconds"] > 0:
        return []
    return [
        Error(
            "WEBHOOK_TIMEOUT_SECONDS is not more than 0.",
            hint="So long may a whole call of a webhook take, with its answer.",
            id="mesto.E020",
        )
    ]


@register(deploy=True)
def webhooks_stay_outside(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.WEBHOOKS["allow_private"]:
        return []
    return [
        Warning(
            "WEBHOOK_ALLOW_PRIVATE lets managers reach this machine and its network.",
            hint="It is for development: without it webhooks go to public addresses, by https.",
            id="mesto.W020",
        )
    ]
