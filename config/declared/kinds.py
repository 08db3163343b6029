"""What a setting may be: its kind reads the text that was given, or says what is allowed."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from config.mailers import mailer

YES = {"true", "yes", "on", "1", "y", "ok"}
NO = {"false", "no", "off", "0", "n"}
POSTGRESQL = ("postgres://", "postgresql://", "psql://", "pgsql://")


class Reader(StrEnum):
    """The processes that look at a setting."""

    WEB = "web"
    WORKER = "worker"
    BOTH = "web and worker"
    COMMANDS = "commands"
    TESTS = "tests and tools"


@dataclass(frozen=True)
class Kind:
    """How the text of a setting becomes its value."""

    name: str
    allowed: str
    read: Callable[[str], Any]  # raises ValueError


@dataclass(frozen=True)
class Setting:
    """One name in the environment; `default` is its value when nothing but spaces is given.

    `otherwise` says in words what a default of None becomes. `local` is the value that `make run`
    writes to .env. What `by_platform` is so, the hosting sets itself.
    """

    name: str
    kind: Kind
    default: Any
    meaning: str
    reader: Reader = Reader.BOTH
    least: float | None = None
    most: float | None = None
    choices: Sequence[str] = ()
    is_secret: bool = False
    otherwise: str = ""
    example: str = ""
    local: str | None = None
    by_platform: bool = False

    def value(self, text: str) -> Any:
        """Return what the text means; a ValueError says that it isn't allowed."""
        text = text.strip()
        if not text:
            return self.default
        value = self.kind.read(text)
        if self.choices and value not in self.choices:
            raise ValueError(text)
        if self.least is not None and value < self.least:
            raise ValueError(text)
        if self.most is not None and value > self.most:
            raise ValueError(text)
        return value

    @property
    def allowed(self) -> str:
        if self.choices:
            return " or ".join(self.choices)
        if self.least is None and self.most is None:
            return self.kind.allowed
        if self.most is None:
            return f"{self.kind.allowed} from {self.least:g}"
        return f"{self.kind.allowed} from {self.least or 0:g} to {self.most:g}"


@dataclass(frozen=True)
class Section:
    title: str
    settings: Sequence[Setting]


def _flag(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError(text)
    return text.lower() in YES


def _number(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def _list(text: str) -> list[str]:
    return [word for each in text.split(",") if (word := each.strip())]


def _networks(text: str) -> list[str]:
    return [str(ip_network(each, strict=False)) for each in _list(text)]


def _listen(text: str) -> str:
    host, _colon, port = text.rpartition(":")
    ip_address(host.strip("[]"))
    if not 0 <= int(port) <= 65535:
        raise ValueError(text)
    return text


def _database(text: str) -> dict[str, Any]:
    if not text.startswith((*POSTGRESQL, "sqlite://")):
        raise ValueError(text)
    return _by_environ(Env.db_url_config, text)


def _replica(text: str) -> str:
    if text.startswith(POSTGRESQL):
        _by_environ(Env.db_url_config, text)
    return text


def _cache(text: str) -> dict[str, Any]:
    return _by_environ(Env.cache_url_config, text)


def _by_environ(parse: Callable[[str], dict[str, Any]], text: str) -> dict[str, Any]:
    try:
        return parse(text)
    except (ImproperlyConfigured, KeyError, TypeError) as error:
        raise ValueError(text) from error


def _site(text: str) -> str:
    parts = urlsplit(text)
    _ = parts.port  # parsed on access, and may be wrong
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(text)
    return text


def _mail(text: str) -> str:
    if mailer(text)["BACKEND"].startswith("("):
        raise ValueError(text)
    return text


def _json(text: str) -> dict[str, Any]:
    if not isinstance(value := json.loads(text), dict):
        raise ValueError(text)  # the text is wrong, not the code
    return value


TEXT = Kind("text", "any text", str)
FLAG = Kind("true or false", "true or false", _flag)
WHOLE = Kind("whole number", "a whole number", int)
NUMBER = Kind("number", "a number", _number)
LIST = Kind("list", "a comma-separated list", _list)
DATABASE = Kind(
    "URL", "postgres://user:password@host:5432/name or sqlite:///path/to/file", _database
)
REPLICA = Kind("URL", "postgres://user:password@host:5432/name", _replica)
NETWORKS = Kind("list", "networks, comma-separated, such as 10.0.0.0/8", _networks)
LISTEN = Kind("address", "an address and a port, such as 127.0.0.1:9101", _listen)
SITE = Kind("URL", "the URL of a site, such as https://book.example.org", _site)
CACHE = Kind("URL", "redis://host:6379/1, rediss://… (TLS) or locmemcache://", _cache)
MAIL = Kind(
    "URL",
    "smtp+tls://user:password@host:587, smtp+ssl://…, smtp://… or consolemail://, with @ : / % in "
    "a password as %40 %3A %2F %25",
    _mail,
)
JSON = Kind("JSON", "an object of JSON in one line, such as {}", _json)
