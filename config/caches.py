"""What web processes keep for each other, or each for itself."""

from typing import Any

from environ import Env

from config.given import Given

REDIS = "django.core.cache.backends.redis.RedisCache"


def given(env: Given) -> dict[str, Any]:
    """Return the default of the setting CACHES."""
    found: dict[str, Any] = env.dict("CACHE_URL") or Env.cache_url_config("locmemcache://")
    if found["BACKEND"] == REDIS:
        # Requests work without it, so a silent server must not hold them up.
        patience = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3}
        found["OPTIONS"] = {**found.get("OPTIONS", {}), **patience}
    elif is_our_own(found):
        # With the default of 300, the request counts of a crowd would evict each other.
        found["OPTIONS"] = {"MAX_ENTRIES": 10_000}
    return found


def is_our_own(cache: dict[str, Any]) -> bool:
    """Tell whether each process has its own."""
    return "locmem" in cache["BACKEND"]
