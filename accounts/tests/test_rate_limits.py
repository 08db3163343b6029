"""Rate limits per token, session and address, in each process or across all of them."""

import socket
import time

import pytest
from django.test import Client
from redis import Redis

from accounts.tests.programs import issue, post, program
from bookings.tests.crowd import at_once
from config.tests import http, processes, redis_server
from scripts import postgres

LIST = "/api/v1/bookings"
SPACES = "/api/v1/spaces"
MINUTE = 1_795_590_000 // 60 * 60  # any


@pytest.fixture(autouse=True)
def rates(settings):
    settings.API_RATES = {"token": 3, "session": 4, "address": 6}


@pytest.fixture
def clock(monkeypatch):
    """Set the clock, ten seconds into a minute."""

    def set_to(seconds):
        monkeypatch.setattr(time, "time", lambda: MINUTE + seconds)

    set_to(10)
    return set_to


def statuses(ask, times):
    return [ask().status_code for _ in range(times)]


def left(answer):
    return answer["RateLimit"]


# --- Per token, session, address


def test_a_token_has_a_limit_per_minute(clock, alice):
    _, text = issue(alice)
    reader = program(text)
    assert statuses(lambda: reader.get(LIST), 4) == [200, 200, 200, 429]


def test_each_token_has_its_own_count(clock, alice):
    texts = [issue(alice)[1] for _ in range(2)]
    for text in texts:
        reader = program(text, REMOTE_ADDR="192.0.2.1")
        assert statuses(lambda reader=reader: reader.get(LIST), 3) == [200] * 3


def test_a_session_is_counted_by_its_person(clock, alice):
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(alice)
    tries = [browser.get(LIST).status_code for browser in browsers * 3]
    assert tries == [200] * 4 + [429] * 2


def test_an_address_has_a_limit_per_minute(clock, client, space):
    assert statuses(lambda: client.get(SPACES), 7) == [200] * 6 + [429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert elsewhere.get(SPACES).status_code == 200


def test_an_ipv6_network_is_one_address(clock, space):
    neighbours = [Client(REMOTE_ADDR=f"2001:db8:1:2::{number}") for number in range(7)]
    assert [each.get(SPACES).status_code for each in neighbours] == [200] * 6 + [429]
    assert Client(REMOTE_ADDR="2001:db8:1:3::1").get(SPACES).status_code == 200


def test_guessing_tokens_is_counted_per_address(clock, db):
    tries = [program(f"mesto_{number}").get(LIST).status_code for number in range(7)]
    assert tries == [401] * 6 + [429]


def test_requests_for_tokens_are_counted_per_address(clock, client, db):
    body = {"username": "nobody", "password": "wrong"}
    tries = statuses(lambda: post(client, "/api/v1/auth/token", body), 7)
    assert tries == [401] * 6 + [429]


def test_pages_are_not_counted(clock, client, db):
    assert statuses(lambda: client.get("/accounts/login/"), 9) == [200] * 9


# --- What the answer says


def test_every_answer_says_what_is_left(clock, alice):
    _, text = issue(alice)
    answer = program(text).get(LIST)
    assert left(answer) == '"address";r=5;t=50, "token";r=2;t=50'
    assert answer["RateLimit-Policy"] == '"address";q=6;w=60, "token";q=3;w=60'


@pytest.mark.parametrize(
    ("path", "status"), [(SPACES, 200), (LIST, 401), ("/api/v1/nothing", 404), ("/api/", 404)]
)
def test_refusals_say_it_too(clock, client, db, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert left(answer) == '"address";r=5;t=50'


def test_a_client_over_its_limit_is_told_when_to_come_back(clock, alice):
    _, text = issue(alice)
    reader = program(text)
    statuses(lambda: reader.get(LIST), 3)
    answer = reader.get(LIST)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer["Retry-After"] == "50"
    assert left(answer) == '"address";r=2;t=50, "token";r=0;t=50'
    assert answer["Content-Type"] == "application/problem+json"
    assert "no-store" in answer["Cache-Control"]


def test_an_address_over_its_limit_is_told_too(clock, client, space):
    statuses(lambda: client.get(SPACES), 6)
    answer = client.get(SPACES)
    assert (answer.json()["code"], answer["Retry-After"]) == ("too_many_requests", "50")
    assert left(answer) == '"address";r=0;t=50'


def test_an_address_over_its_limit_costs_no_query(clock, client, space, django_assert_num_queries):
    statuses(lambda: client.get(SPACES), 6)
    with django_assert_num_queries(0):
        assert client.get(SPACES).status_code == 429


def test_the_next_minute_starts_from_zero(clock, alice):
    _, text = issue(alice)
    reader = program(text)
    statuses(lambda: reader.get(LIST), 4)
    clock(59.9)
    assert reader.get(LIST)["Retry-After"] == "1"
    clock(60)
    assert left(reader.get(LIST)) == '"address";r=5;t=60, "token";r=2;t=60'


# --- Without a cache, and with one that all processes share


def redis_at(settings, port, seconds=processes.PATIENCE):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/1",
            "OPTIONS": {"socket_timeout": seconds, "socket_connect_timeout": seconds},
        }
    }


@pytest.fixture
def listener():
    """A port that is ours: nothing answers there."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield found


@pytest.mark.parametrize("is_silent", [False, True])
def test_the_api_works_while_its_cache_is_down(settings, listener, client, space, is_silent):
    """`is_silent`: it accepts connections and says nothing, like a server that hangs."""
    if is_silent:
        listener.listen()
    redis_at(settings, listener.getsockname()[1], seconds=0.2)
    assert statuses(lambda: client.get(SPACES), 7) == [200] * 7
    assert "RateLimit" not in client.get(SPACES)


def test_a_cache_that_keeps_nothing_limits_nothing(settings, client, space):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert statuses(lambda: client.get(SPACES), 7) == [200] * 7


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with redis_server.serving(tmp_path_factory.mktemp("redis")) as port:
        yield Redis(port=port, db=1)


@pytest.fixture
def count_in_redis(settings, redis):
    redis.flushdb()
    redis_at(settings, redis.get_connection_kwargs()["port"])


def test_a_shared_cache_counts_per_minute(count_in_redis, clock, alice):
    _, text = issue(alice)
    reader = program(text)
    assert statuses(lambda: reader.get(LIST), 4) == [200, 200, 200, 429]
    clock(60)
    assert reader.get(LIST).status_code == 200


def test_a_shared_cache_forgets_the_counts(count_in_redis, redis, client, space):
    client.get(SPACES)
    (key,) = redis.keys()
    assert 60 < redis.ttl(key) <= 120


def test_simultaneous_requests_are_all_counted(count_in_redis, clock, db):
    """Counting is one operation on the server: no two requests get the same number."""

    def ask():
        return Client().get("/api/v1/nothing").status_code

    assert sorted(at_once(*[ask] * 20)) == [404] * 6 + [429] * 14


@pytest.mark.one_database("postgresql")
@pytest.mark.django_db(transaction=True)
def test_all_web_processes_count_together(redis):
    redis.flushdb()
    port = redis.get_connection_kwargs()["port"]
    environment = {
        "DEBUG": "true",
        "ALLOWED_HOSTS": "127.0.0.1",
        "CACHE_URL": f"redis://127.0.0.1:{port}/1",
        "API_RATE_PER_ADDRESS": "6",
    }
    ports = [postgres.free_port(), postgres.free_port()]
    sites = [processes.start("runserver", "--noreload", str(port), **environment) for port in ports]
    try:
        for port in ports:
            processes.wait_for(lambda port=port: redis_server.answers(port))
        urls = [f"http://127.0.0.1:{port}/api/v1/nothing" for port in ports]
        minute = told = None
        while minute != time.time() // 60:  # again when a minute began meanwhile: so did the count
            redis.flushdb()
            minute = time.time() // 60
            told = [http.get(url).status_code for url in urls * 4]
        assert told == [404] * 6 + [429] * 2
    finally:
        for site in sites:
            site.kill()
            site.communicate()
