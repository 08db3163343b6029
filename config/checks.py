"""Wrong settings, reported plainly before anyone is served."""

from collections.abc import Sequence
from email.utils import getaddresses
from ipaddress import ip_address
from typing import Any
from unicodedata import category
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.mail import InvalidMailer, mailers
from django.core.validators import validate_email

from accounts.commands import KAFKA, MESTO
from config.given import Wrong
from config.mailers import CONSOLE


def stop_at_errors() -> None:
    """Start no web process whose settings contradict each other; commands check by themselves."""
    if errors := [each for each in run_checks(tags=[MESTO]) if each.is_serious()]:
        raise Wrong("\n".join(f"Mesto can't start: {each.msg} {each.hint}" for each in errors))


@register(MESTO)
def secret_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:  # Django's own word for an empty one is a traceback
        pass
    return [
        Error(
            "SECRET_KEY is empty.",
            hint="Set it in the environment or in .env; `make run` makes one.",
            id="mesto.E001",
        )
    ]


@register(MESTO)
def database_waits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DATABASE_WAITS["lock"] < settings.DATABASE_WAITS["statement"]:
        return []
    return [
        Error(
            "DATABASE_LOCK_SECONDS is not less than DATABASE_STATEMENT_SECONDS.",
            hint="Waiting for a lock is a part of the statement, and ends before it.",
            id="mesto.E007",
        )
    ]


@register(MESTO)
def replica(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    url = settings.REPLICA_URL
    if not url or (url.startswith("postgres") and not settings.IS_SQLITE):
        return []
    return [
        Error(
            "REPLICA_URL is set, but it or DATABASE_URL is not a PostgreSQL.",
            hint="Set it to a replica of the primary in DATABASE_URL, or leave it out.",
            id="mesto.E008",
        )
    ]


@register(MESTO)
def site_url(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    parts = _split(settings.SITE_URL)
    if parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment):
        return []
    return [
        Error(
            "SITE_URL is not the URL of a site.",
            hint="Where links in mail lead, such as https://book.example.org",
            id="mesto.E010",
        )
    ]


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed on access, and may be wrong
    except ValueError:
        return urlsplit("")
    return parts


@register(MESTO)
def mail_server(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        _ = mailers.default  # creates it without connecting
    except (InvalidMailer, TypeError, ValueError, OSError) as error:
        return [
            Error(
                f"EMAIL_URL can't be used: {error}",
                hint="For example smtp+tls://user:password@host:587, or consolemail://; "
                "write @, :, / and % in a password as %40, %3A, %2F and %25.",
                id="mesto.E011",
            )
        ]
    return []


@register(MESTO)
def mail_sender(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if _is_mailbox(settings.MAIL_FROM):
        return []
    return [
        Error(
            "MAIL_FROM is not an address.",
            hint="The sender of mail, such as Mesto <mesto@example.org>",
            id="mesto.E012",
        )
    ]


def _is_mailbox(text: str) -> bool:
    try:
        [(_name, address)] = getaddresses([text])
        validate_email(address)
    except (ValidationError, ValueError):
        return False
    return not any(category(letter) in {"Cc", "Zl", "Zp"} for letter in text)  # controls, line ends


@register(KAFKA)
def kafka_options(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.KAFKA["options"]:
        return []
    from notifications.kafka.producing import objection  # don't load it where Kafka isn't used

    if not (problem := objection()):
        return []
    return [
        Error(
            f"KAFKA_OPTIONS can't be used: {problem}",
            hint="The names and values are librdkafka's: see its CONFIGURATION.md.",
            id="mesto.E014",
        )
    ]


@register(MESTO)
def text_messages(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    name = settings.SMS["provider"]
    missing = [each for each in ("account", "token", "from") if not settings.SMS[each]]
    if name != "twilio" or not missing:
        return []
    named = ", ".join(f"SMS_{each.upper()}" for each in missing)
    hint = "They are in the provider's console: account, key, and the number or name to send from."
    return [Error(f"Text messages can't be sent without {named}.", hint=hint, id="mesto.E022")]


@register(KAFKA)
def kafka_requests(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.KAFKA["bootstrap_servers"] or not settings.KAFKA["requests_topic"]:
        return []
    return [
        Error(
            "KAFKA_REQUESTS_TOPIC is set, but KAFKA_BOOTSTRAP_SERVERS is not.",
            hint="Set KAFKA_BOOTSTRAP_SERVERS=host:9092, or no topic for requests.",
            id="mesto.E015",
        )
    ]


@register(deploy=True)
def public_site_url(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not _is_here(_split(settings.SITE_URL).hostname or ""):
        return []
    return [
        Warning(
            "SITE_URL is this machine: links in mail don't work for others.",
            hint="Set SITE_URL=https://book.example.org, where people open the site.",
            id="mesto.W010",
        )
    ]


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@register(deploy=True)
def mail_leaves(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.MAILERS["default"]["BACKEND"] != CONSOLE:
        return []
    return [
        Warning(
            "Mail is printed on the worker's console and reaches nobody.",
            hint="Set EMAIL_URL=smtp+tls://user:password@host:587 in production.",
            id="mesto.W011",
        )
    ]


@register(deploy=True)
def shared_database(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.IS_SQLITE:
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


@register(deploy=True)
def webhooks_stay_outside(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.WEBHOOKS["allow_private"]:
        return []
    return [
        Warning(
            "WEBHOOK_ALLOW_PRIVATE lets managers reach this machine and its network.",
            hint="It is for development: without it, webhooks go only to public addresses, "
            "over https.",
            id="mesto.W020",
        )
    ]
