"""CACHE_URL and the API's limits: what they become, and the messages about wrong ones."""

import runpy

import pytest

from config import checks


@pytest.fixture
def cache_of(monkeypatch, settings):
    """Return the cache that the settings of a process with this URL have."""

    def cache_of(url):
        monkeypatch.setenv("CACHE_URL", url)
        return runpy.run_path(str(settings.BASE_DIR / "config/settings.py"))["CACHES"]["default"]

    return cache_of


@pytest.mark.parametrize("scheme", ["redis", "rediscache"])
def test_a_redis_url_gives_djangos_redis_cache(cache_of, scheme):
    assert cache_of(f"{scheme}://cache.example:6379/1") == {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://cache.example:6379/1",
        "OPTIONS": {"socket_timeout": 0.3, "socket_connect_timeout": 0.3},
    }


def test_redis_over_tls_with_a_password(cache_of):
    url = "rediss://mesto:secret@cache.example:6380/0"
    assert cache_of(url)["LOCATION"] == url


def test_without_a_url_the_cache_is_in_memory(cache_of):
    backend = cache_of("locmemcache://")["BACKEND"]
    assert backend == "django.core.cache.backends.locmem.LocMemCache"


def test_a_cache_per_process_is_a_warning_in_production(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert [warning.id for warning in checks.shared_cache(None)] == ["mesto.W002"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}
    assert checks.shared_cache(None) == []
