"""One line for each thing that happens: JSON for programs, or a line for people while developing.

The JSON names nobody and holds nothing that opens a door. Addresses in it are routes, such as
`bookings/<uuid:code>/`, never what was asked for; exceptions are told by `config.watching.errors`;
libraries' messages are told without their arguments, which may be anything; and what still looks
like an e-mail address or a phone number is masked.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.typing import EventDict

from accounts import watching

#: What our own lines may say beside their message.
KEYS = (
    "route",
    "method",
    "status",
    "milliseconds",
    "database_milliseconds",
    "statements",
    "step",
    "channel",
    "outcome",
    "delivery",
    "booking",
    "event_kind",
    "attempt",
)

OF_REQUESTS = "mesto.request"
KEYS_OF_REQUESTS = ("route", "method", "status", "milliseconds")

#: Loggers whose arguments are ours: they name nobody.
OURS = ("mesto", "gunicorn", "root")
#: Of other libraries only messages with arguments are told, as those are without what they are
#: about; but of these all.
SAY_NOTHING_ELSE = ("asyncio", "django", "opentelemetry")
#: Among those of gunicorn, the ones about what a client sent.
ABOUT_CLIENTS = re.compile(r"request|header|client|uri", re.IGNORECASE)

MAIL_ADDRESS = re.compile(r"[^\s@<>(),:;\"'=]+@[^\s@<>(),:;\"'=]+")
PHONE = re.compile(r"\+\d[\d ()-]{6,}\d")


def message(logger: Any, method: str, line: EventDict) -> EventDict:
    """Fill a message in where its arguments are ours."""
    record: logging.LogRecord = line["_record"]
    args = line.pop("positional_args", None)
    said = str(record.msg)
    if record.name.startswith("django.request"):
        line["event"] = "request failed" if record.levelno >= logging.ERROR else "request refused"
        line.update(_of_request(record))
    elif args and _is_ours(record.name, said):
        line["event"] = said % args
    elif args or record.name.split(".")[0] in (*OURS, *SAY_NOTHING_ELSE):
        line["event"] = said
    else:
        line["event"] = f"said at {record.module}:{record.lineno}"
    return line


def _is_ours(name: str, said: str) -> bool:
    whose = name.split(".")[0]
    return whose in OURS and not (whose == "gunicorn" and ABOUT_CLIENTS.search(said))


def _of_request(record: logging.LogRecord) -> dict[str, Any]:
    request = getattr(record, "request", None)
    found = {"status": getattr(record, "status_code", None)}
    if match := getattr(request, "resolver_match", None):
        found["route"] = match.route
    return {name: value for name, value in found.items() if value}


def cause(logger: Any, method: str, line: EventDict) -> EventDict:
    """Name the request that this is done for, and its trace."""
    found = watching.cause()
    if found.request_id:
        line["request_id"] = found.request_id
    traceparent = watching.traceparent() or found.traceparent
    if traceparent:
        line["trace_id"] = traceparent.split("-")[1]
    return line


def exception(logger: Any, method: str, line: EventDict) -> EventDict:
    """Tell what was raised, without what somebody typed."""
    from config.watching import errors  # it needs the settings, which set this up

    info = line.pop("exc_info", None)
    if isinstance(info, tuple) and isinstance(info[1], BaseException):
        line["exception"] = [
            {"type": each.type, "said": each.said, "frames": list(each.frames)}
            for each in errors.told(info[1])
        ]
    line.pop("stack_info", None)
    return line


def masked(logger: Any, method: str, line: EventDict) -> EventDict:
    """Hide what looks like an address or a number of somebody."""
    for name, value in line.items():
        if isinstance(value, str) and ("@" in value or "+" in value):
            line[name] = PHONE.sub("…", MAIL_ADDRESS.sub("…", value))
    return line


def line_of(record: logging.LogRecord) -> EventDict:
    """Return a record's message and keys, as they may be told."""
    line = {name: value for name, value in vars(record).items() if name in KEYS}
    line |= {"_record": record, "positional_args": record.args}
    return masked(None, "", message(None, "", line))


SHARED: list[Any] = [
    structlog.stdlib.ExtraAdder(allow=KEYS),
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    cause,
]


class Lines(structlog.stdlib.ProcessorFormatter):
    """Writes the line of a request directly: it is most of the log, and all its values are ours."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name != OF_REQUESTS:
            return super().format(record)
        found = vars(record)
        line = {name: found[name] for name in KEYS_OF_REQUESTS}
        line["level"], line["logger"] = "info", OF_REQUESTS
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        line["message"] = record.msg
        return json.dumps(cause(None, "", line))


def json_formatter() -> structlog.stdlib.ProcessorFormatter:
    return Lines(
        foreign_pre_chain=[message, *SHARED, exception],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            masked,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        use_get_message=False,
        pass_foreign_args=True,
    )


def console_formatter() -> structlog.stdlib.ProcessorFormatter:
    """For whoever develops, on their own machine: everything, as it was said."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
    )


def configuration(kind: str, *, is_debug: bool) -> dict[str, Any]:
    """Return the standard library's configuration, for the site, workers and gunicorn alike."""
    kind = kind or ("console" if is_debug else "json")
    make = console_formatter if kind == "console" else json_formatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": make}},
        "filters": {"one_line": {"()": "config.one_line.OneLine"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["one_line"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": LEVELS,
    }


def log_what_ends_us() -> None:
    """Log an exception that ends this process as any other: Python would print what was typed."""

    def log(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        logging.getLogger("mesto").critical("ended by an error", exc_info=(kind, error, trace))

    sys.excepthook = log


LEVELS: Mapping[str, Any] = {
    "axes": {"level": "WARNING"},  # that it cleans up after each sign-in
    "environ": {"level": "WARNING"},  # that there is no .env
    # A missing page and a lost race are answers, not warnings.
    "django.request": {"level": "ERROR"},
    # runserver's own line for each request has its address; ours has the route.
    "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
    "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
}
