"""Where webhooks may go: to public addresses only, however an address is spelt.

A name can lead somewhere else a moment after it was checked (DNS rebinding), so a call looks it
up once, checks the result, and connects to that and nothing else: see `calling`.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Thread
from unicodedata import normalize
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings

from notifications.webhooks import sentences

type IP = IPv4Address | IPv6Address
type Origin = tuple[str, str, int]

#: `is_global` follows IANA's special-purpose registries; it lets these pass.
NOT_PUBLIC_4 = [
    IPv4Network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata is at 192.0.0.192
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "168.63.129.16/32",  # Azure's own address for its machines
    )
]
NOT_PUBLIC_6 = [
    IPv6Network(network)
    for network in (
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation (RFC 9637)
        "2001::/23",  # protocol assignments, with Teredo, ORCHID and benchmarking
        "2002::/16",  # 6to4, deprecated (RFC 7526): the address inside may be private
        "2620:4f:8000::/48",  # AS112: answers for private addresses
    )
]
#: All that is allocated as public unicast so far.
PUBLIC_6 = IPv6Network("2000::/3")
#: Carries an IPv4 address, which is where it leads (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
#: What the C library takes for a number: decimal, octal or hexadecimal.
NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
#: Spaces, control characters, and characters on which URL parsers disagree.
UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffe]")
PATIENCE = 2.0  # seconds that a form waits for DNS


class AddressRefused(Exception):
    """No webhook may go there; the message, in English, says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NameUnknown(Exception):
    """No address was found for a name, at least for now."""

    def __init__(self, host: str) -> None:
        self.sentence = sentences.NO_NAME % host
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Address:
    """A webhook's address, parsed; `host` is a name or an IP address in canonical form."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def ip(self) -> IP | None:
        """Return the IP address if the host is one."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def origin(self) -> Origin:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


def read(url: str) -> Address:
    """Parse an address. Raises AddressRefused for anything but a plain web address."""
    if UNSAFE.search(url):
        raise AddressRefused(sentences.ADDRESS)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        sentence = sentences.PORT if "port" in str(error).lower() else sentences.ADDRESS
        raise AddressRefused(sentence) from error
    if parts.scheme not in ("http", "https"):
        raise AddressRefused(sentences.ADDRESS)
    if "@" in parts.netloc:
        raise AddressRefused(sentences.LOGIN)
    if port == 0 or parts.netloc.endswith(":"):
        raise AddressRefused(sentences.PORT)
    host = _host(parts)
    return Address(
        scheme=parts.scheme,
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        target=_target(parts),
    )


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        try:
            found = IPv6Address(host)
        except ValueError as error:
            raise AddressRefused(sentences.ADDRESS) from error
        if found.scope_id is not None:
            raise AddressRefused(sentences.INSIDE % host)
        return str(found)
    name = normalize("NFKC", host).translate({ord(dot): "." for dot in "。.。"}).lower()
    if name.endswith("."):
        name = name[:-1]
    if not name:
        raise AddressRefused(sentences.HOST)
    if not name.isascii():
        try:
            name = name.encode("idna").decode().lower()
        except UnicodeError as error:
            raise AddressRefused(sentences.ADDRESS) from error
    *_others, last = name.split(".")
    if NUMBER.fullmatch(last):
        return _number(name)
    if len(name) > 253 or not all(map(LABEL.fullmatch, name.split("."))):
        raise AddressRefused(sentences.ADDRESS)
    if last == "localhost":
        _check_inside(name)
    return name


def _number(name: str) -> str:
    """Parse an IP as the C library does: 2130706433, 0177.0.0.1, 0x7f.1 and 127.1 are one."""
    try:
        return str(IPv4Address(socket.inet_aton(name)))
    except (OSError, ValueError) as error:
        raise AddressRefused(sentences.ADDRESS) from error


def _target(parts: SplitResult) -> str:
    """Return path and query, as they appear in the first line of a request."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return f"{path}?{query}" if query else path


def addresses_of(address: Address, *, within: float) -> list[IP]:
    """Return all addresses that a host leads to, each of them checked.

    Looks up once, for that many seconds at most. Raises AddressRefused, and NameUnknown when there
    is no answer.
    """
    try:
        found = [address.ip] if address.ip is not None else _look_up(address, within)
    except NameUnknown:
        _check_scheme(address)
        raise
    _check(found)
    _check_scheme(address)
    return found


def _look_up(address: Address, within: float) -> list[IP]:
    """Look up in a thread: the C library waits for a silent name server as long as it likes."""
    answers: list[list[IP] | OSError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            answers.append(list(dict.fromkeys(ip_address(row[4][0]) for row in rows)))
        except (OSError, UnicodeError, ValueError) as error:
            answers.append(OSError(str(error)))

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(0, within))
    if not answers or isinstance(answers[0], OSError) or not answers[0]:
        raise NameUnknown(address.host)
    return answers[0]


def check(url: str) -> None:
    """Refuse an address that a webhook may not have; a name that leads nowhere yet is allowed.

    For forms: what counts is the check at each call. Raises AddressRefused.
    """
    address = read(url)
    try:
        addresses_of(address, within=PATIENCE)
    except NameUnknown:
        return


def _check(found: list[IP]) -> None:
    if settings.WEBHOOKS["allow_private"]:
        return
    for ip in found:
        if not is_public(ip):
            raise AddressRefused(sentences.INSIDE % ip)


def _check_scheme(address: Address) -> None:
    if address.scheme == "http" and not settings.WEBHOOKS["allow_private"]:
        raise AddressRefused(sentences.HTTPS)


def _check_inside(name: str) -> None:
    if not settings.WEBHOOKS["allow_private"]:
        raise AddressRefused(sentences.INSIDE % name)


def is_public(ip: IP) -> bool:
    """Tell whether an address is on the public internet and belongs to one machine."""
    if isinstance(ip, IPv4Address):
        is_special = ip.is_multicast or ip.is_reserved or any(ip in net for net in NOT_PUBLIC_4)
        return ip.is_global and not is_special
    if ip.scope_id is not None:
        return False
    inside = IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.ipv4_mapped is not None or ip in NAT64:
        return is_public(inside)
    if int(ip) >> 32 & 0xFDFFFFFF == 0x5EFE and not is_public(inside):
        return False  # ISATAP (RFC 5214) carries an IPv4 address as well
    if ip not in PUBLIC_6 or any(ip in net for net in NOT_PUBLIC_6):
        return False
    return ip.is_global
