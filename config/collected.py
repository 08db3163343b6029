"""Whether `collectstatic` was run for this release: without it, every page is a 500."""

from functools import cache
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import storages

from config.static_files import IGNORED


def uncollected() -> str:
    """Return a static file that pages can't name; nothing if all is there."""
    return _missing_in(storages["staticfiles"])


@cache  # a process reads the manifest once, at its start
def _missing_in(storage: Any) -> str:
    if not hasattr(storage, "hashed_files"):  # sources are served
        return ""
    for finder in get_finders():
        for path, _storage in finder.list(IGNORED):
            if storage.hash_key(storage.clean_name(path)) not in storage.hashed_files:
                return str(path)
    return ""
