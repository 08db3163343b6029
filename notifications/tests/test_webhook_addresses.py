"""Where webhooks may not go: nothing connects, however an address is spelt or a name resolves.

The site runs as it does for strangers: `allow_private` is off. Python itself reports every attempt
to connect, and a receiver listens where an attacker would like to get in.
"""

import ipaddress
import socket
import sys
from contextlib import contextmanager

import pytest

from bookings.tests.acts import book
from notifications.factories import WebhookFactory
from notifications.models import Attempt, Delivery
from notifications.tests.receiver import Answer, receiving
from notifications.tests.spellings import ELSEWHERE_INSIDE, HERE
from notifications.tests.webhooks import by_https, deliver, later, states
from notifications.webhooks import guard, services
from notifications.webhooks.guard import AddressRefused

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("a_worker_of_its_own"),
]

PUBLIC = "93.184.215.14"

_watching: list[list[object]] = []


def _watch(event, arguments):
    """Record who is called: nobody outside this machine."""
    if _watching and event == "socket.connect" and isinstance(arguments[1], tuple):
        host, port, *_ = arguments[1]
        _watching[-1].append((host, port))
        if not ipaddress.ip_address(host).is_loopback:
            raise ConnectionRefusedError(111, "Connection refused")


sys.addaudithook(_watch)  # it can't be removed again


@contextmanager
def watching():
    called: list[object] = []
    _watching.append(called)
    try:
        yield called
    finally:
        _watching.pop()


@pytest.fixture(autouse=True)
def for_strangers(settings):
    settings.WEBHOOKS = {"timeout_seconds": 2, "allow_private": False}


@pytest.fixture
def inside():
    """A receiver on this machine, which speaks TLS, as every webhook must."""
    with receiving(tls=by_https()) as started:
        yield started


@pytest.fixture
def names(monkeypatch):
    """A name server: `names["hooks.example"] = [first answer, second answer, …]`, the last stays.

    It records each query. IP addresses, which need no name server, work as usual.
    """
    table, real = Names(), socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host not in table:
            return real(host, port, *args, **{**kwargs, "flags": socket.AI_NUMERICHOST})
        table.asked.append(host)
        answers = table[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, 1, 6, "", (ip, port)) for ip in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


class Names(dict):
    def __init__(self):
        super().__init__()
        self.asked = []


def send(space, url, desk, alice, now):
    """Send an event to an address that was written to the database past the form."""
    webhook = WebhookFactory.create(space=space, url=url)
    book(desk, alice, now)
    with watching() as called:
        deliver(now)
    return Delivery.objects.get(endpoint=webhook), called


def test_no_spelling_leads_to_a_private_address(inside, space, desk, alice, manager, now):
    urls = [f"https://{host}:{inside.port}/" for host in HERE + ELSEWHERE_INSIDE]
    with watching() as called:
        assert [url for url in urls if is_accepted(space, url, manager, now)] == []
        webhooks = [WebhookFactory.create(space=space, url=url) for url in urls]
        book(desk, alice, now)
        deliver(now)
    assert (called, inside.connected) == ([], 0)
    deliveries = Delivery.objects.filter(endpoint__in=webhooks).select_related("endpoint")
    assert len(deliveries) == len(urls)
    assert [each.endpoint.url for each in deliveries if each.state != "DEAD"] == []
    assert {each.error.partition(": ")[0] for each in deliveries} == {"Refused"}
    assert [each.request_headers for each in Attempt.objects.all()] == [{}] * len(urls)


def is_accepted(space, url, manager, now):
    try:
        services.add(space, url=url, kinds=[], by=manager, now=now)
    except AddressRefused:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example@127.0.0.1:{port}/",
        "https://127.0.0.1:{port}@hooks.example/",
        "https://user:password@hooks.example/",
        "https://hooks.example:password@localhost:{port}/",
        "https://hooks.example\\@127.0.0.1:{port}/",
        "https://127.0.0.1:{port}\\@hooks.example/",
        "https://127.0.0.1:{port}#@hooks.example/",
        "https://hooks.example:443@127.0.0.1:{port}#/",
        "https://127.0.0.1\t:{port}/",
        "https://127.0.0.1\r\nHost: hooks.example/",
        "\nhttps://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/\u2028",
        "https:127.0.0.1:{port}/",
        "https:/127.0.0.1:{port}/",
        "https:///127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "https://127.0.0.1:{port}:80/",
        "https://127.0.0.1:99999/",
        "https://[::1/",
        "https://[::1]x:{port}/",
        "https://[127.0.0.1]:{port}/",
        "https://[v1.x]:{port}/",
        "https://256.256.256.256/",
        "https://127.0.0.1.1/",
        "https://hooks..example/",
        "https://.example/",
        "https://exa mple/",
        "https://" + "a" * 64 + ".example/",
        "https://",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "ftp://127.0.0.1/",
        "unix:///var/run/docker.sock",
        "data:text/plain,hello",
        "javascript:alert(1)",
        "",
    ],
)
def test_no_odd_address_leads_anywhere(inside, space, desk, alice, manager, now, names, url):
    names["hooks.example"] = [["127.0.0.1"]]
    url = url.format(port=inside.port)
    with watching() as called, pytest.raises(AddressRefused):
        services.add(space, url=url, kinds=[], by=manager, now=now)
    if url:
        delivery, called_later = send(space, url, desk, alice, now)
        assert (called_later, delivery.state) == ([], "DEAD")
    assert (called, inside.connected) == ([], 0)


def test_an_address_without_tls_leads_nowhere(space, desk, alice, manager, now, names):
    names["hooks.example"] = [[PUBLIC]]
    with pytest.raises(AddressRefused, match="https"):
        services.add(space, url="http://hooks.example/", kinds=[], by=manager, now=now)
    delivery, called = send(space, "http://hooks.example/", desk, alice, now)
    assert (called, delivery.state) == ([], "DEAD")


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.7"],
        ["fe80::1%lo"],
        ["64:ff9b::7f00:1"],
        [PUBLIC, "127.0.0.1"],  # one bad one is enough
        ["127.0.0.1", PUBLIC],
    ],
)
def test_a_name_that_leads_to_a_private_address(
    inside, space, desk, alice, manager, now, names, found
):
    names["hooks.example"] = [found]
    url = f"https://hooks.example:{inside.port}/"
    with pytest.raises(AddressRefused):
        services.add(space, url=url, kinds=[], by=manager, now=now)
    delivery, called = send(space, url, desk, alice, now)
    assert (called, inside.connected) == ([], 0)
    assert delivery.state == "DEAD"
    assert "private network" in delivery.error


def test_a_name_that_turns_private_once_the_form_is_sent(
    inside, space, desk, alice, manager, now, names
):
    names["hooks.example"] = [[PUBLIC], ["127.0.0.1"]]
    url = f"https://hooks.example:{inside.port}/"
    webhook, _secret = services.add(space, url=url, kinds=[], by=manager, now=now)
    book(desk, alice, now)
    with watching() as called:
        deliver(now)
    assert (called, inside.connected) == ([], 0)
    assert states(webhook) == ["DEAD"]


def test_a_name_that_changes_between_check_and_connection(inside, space, desk, alice, now, names):
    """The checked address is the one that is called: there is no second lookup."""
    names["hooks.example"] = [[PUBLIC], ["127.0.0.1"]]
    url = f"https://hooks.example:{inside.port}/"
    delivery, called = send(space, url, desk, alice, now)
    assert called == [(PUBLIC, inside.port)]
    assert names.asked == ["hooks.example"]
    assert inside.connected == 0
    assert delivery.state == "PENDING"  # nobody answered there


def test_an_alternating_name_never_leads_to_a_private_address(
    inside, space, desk, alice, now, names
):
    names["hooks.example"] = [[PUBLIC], ["127.0.0.1"], [PUBLIC], ["127.0.0.1"]] * 9
    webhook = WebhookFactory.create(space=space, url=f"https://hooks.example:{inside.port}/")
    with watching() as called:
        for n in range(12):
            services.ping(webhook, now=later(now, hours=n))
            deliver(later(now, hours=n))
    assert set(called) == {(PUBLIC, inside.port)}
    assert inside.connected == 0
    assert set(states(webhook)) == {"PENDING", "DEAD"}


def test_a_proxy_from_the_environment_is_not_used(
    inside, space, desk, alice, now, names, monkeypatch
):
    """A proxy would look the name up by itself, after the check."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{inside.port}")
    names["hooks.example"] = [[PUBLIC]]
    _delivery, called = send(space, "https://hooks.example/", desk, alice, now)
    assert called == [(PUBLIC, 443)]
    assert inside.connected == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_to_a_private_address(inside, space, desk, alice, now, settings, status):
    """The first receiver stands in for one on the internet."""
    with receiving() as outside:
        outside.answers(Answer(status, headers={"Location": inside.url}))
        settings.WEBHOOKS = {**settings.WEBHOOKS, "allow_private": True}
        delivery, called = send(space, outside.url, desk, alice, now)
        assert called == [("127.0.0.1", outside.port)]
    assert inside.connected == 0
    assert delivery.state == "DEAD"


def test_a_name_without_an_address_may_get_one(space, desk, alice, manager, now, names):
    names["hooks.example"] = [[]]
    services.add(space, url="https://hooks.example/", kinds=[], by=manager, now=now)
    book(desk, alice, now)
    deliver(now)
    assert states() == ["PENDING"]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/",
        "https://HOOKS.example./a?b=c",
        "https://hooks.example:8443/",
        "https://xn--e1afmkfd.example/",
        "https://пример.example/крючок?имя=значение",
        f"https://{PUBLIC}/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        f"https://[::ffff:{PUBLIC}]/",
        f"https://[64:ff9b::{PUBLIC}]/",
    ],
)
def test_public_addresses_may_be_added(space, manager, now, names, url):
    for name in ("hooks.example", "xn--e1afmkfd.example"):
        names[name] = [[PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]]
    webhook, _secret = services.add(space, url=url, kinds=[], by=manager, now=now)
    assert webhook.url == url


@pytest.mark.parametrize("login", ["user:password@", "user@", "@", "127.0.0.1@", "%40@"])
def test_an_address_has_no_login(space, manager, now, names, login):
    names["hooks.example"] = [[PUBLIC]]
    with pytest.raises(AddressRefused, match="a login or an @"):
        services.add(space, url=f"https://{login}hooks.example/", kinds=[], by=manager, now=now)


def test_in_development_this_machine_may_be_called(space, manager, now, settings):
    settings.WEBHOOKS = {**settings.WEBHOOKS, "allow_private": True}
    services.add(space, url="http://127.0.0.1:8000/", kinds=[], by=manager, now=now)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", "/"),
        ("https://a.example?x=1", "/?x=1"),
        ("https://a.example/b c".replace(" ", "%20"), "/b%20c"),
        ("https://a.example/%0d%0aX:y", "/%0d%0aX:y"),
        ("https://a.example/путь", "/%D0%BF%D1%83%D1%82%D1%8C"),
        ("https://a.example/a#b", "/a"),
    ],
)
def test_what_comes_after_the_host(url, target):
    assert guard.read(url).target == target
