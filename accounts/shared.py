"""The cache that all processes share, if CACHE_URL names one; the site works without it."""

from django.conf import settings

OF_ONE_PROCESS = {
    "django.core.cache.backends.dummy.DummyCache",
    "django.core.cache.backends.locmem.LocMemCache",
}


def is_shared() -> bool:
    return settings.CACHES["default"]["BACKEND"] not in OF_ONE_PROCESS


def unreachable() -> tuple[type[Exception], ...]:
    """Return what a cache raises that is away.

    Imported only then: Redis's client is a tenth of what a process loads, and few need it.
    """
    from redis import RedisError

    return RedisError, OSError
