"""How mail is sent, from one URL: `smtp+tls://user:password@host:587`, `consolemail://`."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

CONSOLE = "config.console_mail.EmailBackend"

#: Seconds for each answer from a mail server. A silent one must not hold the worker up for long.
TIMEOUT = 10

#: The port on which servers speak TLS from the first byte, whatever the scheme (RFC 8314, 3.3).
IMPLICIT_TLS = 465


def mailer(url: str) -> dict[str, Any]:
    """Return one entry of Django's MAILERS, for a URL in the style of django-environ.

    Its query sets options of the backend: `?timeout=30`. An invalid URL gives an entry that
    fails when used: see also `config.checks.mail_server`.
    """
    try:
        read = Env.email_url_config(url)
    except (ImproperlyConfigured, ValueError) as error:
        return {"BACKEND": f"({error})"}
    backend: str = read["EMAIL_BACKEND"]
    options: dict[str, Any] = {}
    if backend.endswith("smtp.EmailBackend"):
        is_implicit = bool(read.get("EMAIL_USE_SSL")) or read["EMAIL_PORT"] == IMPLICIT_TLS
        options = {
            "host": read["EMAIL_HOST"] or "localhost",
            "port": read["EMAIL_PORT"] or None,
            "username": read["EMAIL_HOST_USER"] or None,
            "password": read["EMAIL_HOST_PASSWORD"] or None,
            "use_ssl": is_implicit,
            "use_tls": bool(read.get("EMAIL_USE_TLS")) and not is_implicit,
            "timeout": TIMEOUT,
        }
    elif backend.endswith("console.EmailBackend"):
        backend = CONSOLE
    elif backend.endswith("filebased.EmailBackend"):
        options = {"file_path": read["EMAIL_FILE_PATH"]}
    asked = {name.lower(): value for name, value in read.get("OPTIONS", {}).items()}
    return {"BACKEND": backend, "OPTIONS": options | asked}
