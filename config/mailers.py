"""How mail leaves, from one address: `smtp+tls://user:password@host:587`, `consolemail://`."""

from collections.abc import Mapping
from typing import Any

#: Seconds for each answer of a mail server. One that says nothing must not hold the worker long.
TIMEOUT = 10

#: Where a server speaks TLS from the first byte, whatever the scheme says (RFC 8314, section 3.3).
IMPLICIT_TLS = 465


def mailer(url: Mapping[str, Any]) -> dict[str, Any]:
    """Return one entry of Django's MAILERS for what django-environ read from an EMAIL_URL.

    The query of the address overrides options of the backend: `?timeout=30`.
    """
    backend = url["EMAIL_BACKEND"]
    options: dict[str, Any] = {}
    if backend.endswith("smtp.EmailBackend"):
        is_implicit = bool(url.get("EMAIL_USE_SSL")) or url["EMAIL_PORT"] == IMPLICIT_TLS
        options = {
            "host": url["EMAIL_HOST"] or "localhost",
            "port": url["EMAIL_PORT"] or None,
            "username": url["EMAIL_HOST_USER"] or None,
            "password": url["EMAIL_HOST_PASSWORD"] or None,
            "use_ssl": is_implicit,
            "use_tls": bool(url.get("EMAIL_USE_TLS")) and not is_implicit,
            "timeout": TIMEOUT,
        }
    elif backend.endswith("filebased.EmailBackend"):
        options = {"file_path": url["EMAIL_FILE_PATH"]}
    asked = {name.lower(): value for name, value in url.get("OPTIONS", {}).items()}
    return {"BACKEND": backend, "OPTIONS": options | asked}
