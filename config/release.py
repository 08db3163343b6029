"""Names the code that runs: pages that another release rendered are not shown."""

from hashlib import blake2b
from pathlib import Path

APPS = ("accounts", "bookings", "config", "notifications", "spaces")
WHAT_MAKES_PAGES = ("**/*.py", "**/*.html", "**/*.mo", "**/*.css", "**/*.js", "**/*.svg")


def digest(base: Path) -> str:
    """Return a short name for the content of everything that pages are made of."""
    found = blake2b(digest_size=12)
    for folder in (*APPS, "templates", "static", "locale"):
        for pattern in WHAT_MAKES_PAGES:
            for path in sorted((base / folder).glob(pattern)):
                found.update(f"{path.relative_to(base)}\n".encode())
                found.update(path.read_bytes())
    return found.hexdigest()
