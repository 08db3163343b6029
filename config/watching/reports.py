"""Reports of errors to Sentry, or what speaks its protocol: only then is this imported.

Whatever is logged as an error is reported, and nothing else. A report is written anew from what is
harmless: libraries add addresses, headers, variables and source lines, and more with each release.
"""

import logging
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event, Hint

from accounts import watching
from config.watching import errors, logs

KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "logger", "sdk")
KEPT_OF_FRAMES = ("filename", "function", "module", "lineno", "in_app")


def begin(dsn: str, **options: Any) -> None:
    sentry_sdk.init(
        dsn=dsn,
        release=settings.RELEASE or None,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            AtexitIntegration(callback=lambda _pending, _timeout: None),  # it would print
        ],
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        server_name="",
        before_send=harmless,
        **options,
    )


def harmless(event: Event, hint: Hint) -> Event:
    """Return a report with nothing but what the log would say."""
    given: dict[str, Any] = dict(event)
    found: dict[str, Any] = {name: given[name] for name in KEPT if name in given}
    record: logging.LogRecord | None = hint.get("log_record")
    if record is not None:
        line = logs.line_of(record)
        found["logentry"] = {"message": line.pop("event")}
        found["tags"] = {name: str(value) for name, value in line.items() if name in logs.KEYS}
    found["tags"] = {**found.get("tags", {}), "request_id": watching.request_id()}
    if info := hint.get("exc_info"):
        found["exception"] = {"values": _exceptions(given, info[1])}
    report: Event = found  # type: ignore[assignment]  # a part of theirs
    return report


def _exceptions(given: dict[str, Any], error: BaseException) -> list[dict[str, Any]]:
    """Return the chain, the cause first as Sentry wants it, with its frames."""
    words = {type(each).__name__: errors.said(each) for each in errors.chain(error)}
    return [
        {
            "type": each.get("type"),
            "module": each.get("module"),
            "value": words.get(each.get("type"), ""),
            "stacktrace": {"frames": _frames(each)},
        }
        for each in given.get("exception", {}).get("values", [])
    ]


def _frames(exception: dict[str, Any]) -> list[dict[str, Any]]:
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    return [{name: frame.get(name) for name in KEPT_OF_FRAMES} for frame in frames]
