"""Wrong settings, reported plainly before anyone is served."""

from collections.abc import Sequence
from email.utils import getaddresses
from ipaddress import ip_address
from typing import Any
from unicodedata import category
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.core.mail import InvalidMailer, mailers
from django.core.validators import validate_email

from config.mailers import CONSOLE

LONGEST_WAIT = 2  # seconds: requests behind it, a balancer's too, are answered within three
LONGEST_REQUEST = 30  # seconds: then gunicorn ends its process, and a balancer waits little longer
SHORTEST_WAIT = 0.5  # seconds: on a busy machine, other bookings take part of it


@register()
def secret_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY:
        return []
    return [
        Error(
            "SECRET_KEY is empty.",
            hint="Set it in the environment or in .env; `make run` makes one.",
            id="mesto.E001",
        )
    ]


@register()
def trusted_proxies(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.TRUSTED_PROXIES >= 0:
        return []
    return [
        Error(
            "TRUSTED_PROXIES is negative.",
            hint="How many of your own proxies are in front: 0 if none, 1 on Render.",
            id="mesto.E002",
        )
    ]


@register()
def failure_limits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.AXES_FAILURE_LIMIT >= 1 and settings.ADDRESS_FAILURE_LIMIT >= 1:
        return []
    return [
        Error(
            "LOGIN_FAILURE_LIMIT or ADDRESS_FAILURE_LIMIT is less than 1.",
            hint="How many wrong passwords lock a login, and an address, for a while.",
            id="mesto.E003",
        )
    ]


@register()
def decision_lease(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DECISION_LEASE_SECONDS > 0:
        return []
    return [
        Error(
            "DECISION_LEASE_SECONDS is not more than 0.",
            hint="It must be longer than the slowest decision takes; otherwise two workers "
            "decide at once.",
            id="mesto.E004",
        )
    ]


@register()
def database_waits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    waits = settings.DATABASE_WAITS
    ends = [waits["statement"], waits["lock"], waits["busy"]]
    watches = [waits[name] for name in waits if name.startswith(("idle", "tcp", "keepalives"))]
    is_in_order = waits["lock"] < waits["statement"] and max(ends) <= LONGEST_WAIT
    if min(ends) >= SHORTEST_WAIT and min(watches) >= 1 and is_in_order:
        return []
    return [
        Error(
            "One of the DATABASE_… settings makes people wait too long, or gives nobody a chance.",
            hint="DATABASE_STATEMENT_SECONDS, DATABASE_LOCK_SECONDS and DATABASE_BUSY_SECONDS are "
            f"{SHORTEST_WAIT} to {LONGEST_WAIT}, the second less than the first; "
            "DATABASE_IDLE_SECONDS, DATABASE_TCP_USER_TIMEOUT_SECONDS and DATABASE_KEEPALIVES_… "
            "are whole numbers from 1.",
            id="mesto.E007",
        )
    ]


@register()
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


@register()
def request_seconds(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if 2 * LONGEST_WAIT <= settings.REQUEST_SECONDS <= LONGEST_REQUEST:
        return []
    return [
        Error(
            "REQUEST_SECONDS gives nobody a chance, or lets people wait too long.",
            hint=f"It is {2 * LONGEST_WAIT} to {LONGEST_REQUEST}: longer than the database may "
            "take, and less than browsers and balancers wait.",
            id="mesto.E009",
        )
    ]


@register()
def api_rates(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if min(settings.API_RATES.values()) >= 1:
        return []
    return [
        Error(
            "API_RATE_PER_TOKEN or API_RATE_PER_ADDRESS is less than 1.",
            hint="How many API requests a token, and an address, may send per minute.",
            id="mesto.E005",
        )
    ]


@register()
def deliveries(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if min(settings.DELIVERIES.values()) > 0:
        return []
    return [
        Error(
            "One of the DELIVERY_… settings is not more than 0.",
            hint="DELIVERY_LEASE_SECONDS, DELIVERY_RETRY_SECONDS, DELIVERY_GIVE_UP_HOURS and "
            "DELIVERY_RETENTION_DAYS must be positive.",
            id="mesto.E006",
        )
    ]


@register()
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


@register()
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


@register()
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


@register()
def kafka_options(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not isinstance(settings.KAFKA["options"], dict):
        return [
            Error(
                "KAFKA_OPTIONS is not a JSON object.",
                hint='For example {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}',
                id="mesto.E013",
            )
        ]
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


@register()
def text_messages(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    from notifications.sms.port import PROVIDERS

    name = settings.SMS["provider"]
    if name and name not in PROVIDERS:
        hint = f"Set it to one of {', '.join(PROVIDERS)}, or to nothing."
        return [
            Error(f"SMS_PROVIDER={name}: there is no such provider.", hint=hint, id="mesto.E021")
        ]
    missing = [each for each in ("account", "token", "from") if not settings.SMS[each]]
    if name != "twilio" or not missing:
        return []
    named = ", ".join(f"SMS_{each.upper()}" for each in missing)
    hint = "They are in the provider's console: account, key, and the number or name to send from."
    return [Error(f"Text messages can't be sent without {named}.", hint=hint, id="mesto.E022")]


@register()
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


@register()
def webhook_timeout(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.WEBHOOKS["timeout_seconds"] > 0:
        return []
    return [
        Error(
            "WEBHOOK_TIMEOUT_SECONDS is not more than 0.",
            hint="How long a whole webhook call may take, including its answer.",
            id="mesto.E020",
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
