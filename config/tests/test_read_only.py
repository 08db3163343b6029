"""No primary: everything is read from a replica and says so, nothing is changed or lost."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import ApiToken, User
from bookings.models import Booking
from bookings.tests import programs
from bookings.tests.acts import book
from bookings.tests.programs import wish
from config.checks import replica as check_replica
from config.databases.postgresql import options, replica
from config.tests.processes import wait_for
from config.tests.replicas import no_primary
from config.tests.walk import every_address, rows, sessions  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no replicas"),
    pytest.mark.django_db(transaction=True),
]

#: They need no database, or ask for the primary itself.
ALONE = {"healthz", "readyz", "metrics", "manifest", "favicon"}
#: Never read from a replica.
NEVER = {"api:list_events"}
#: What is posted here is a question.
QUERIES = {"graphql"}
#: Parts of a page that is marked itself.
PARTS = {"find_guest"}
SIGN = 'id="as-of"'
BOARD = "/spaces/loft/"
READ = "/api/v1/spaces/loft"  # one of the cheapest that read


@pytest.fixture
def found(rows, sessions):  # noqa: F811 - they are fixtures
    return [here for here in every_address(rows, sessions) if here.name not in ALONE]


@pytest.fixture
def browser(alice):
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    return client


@pytest.fixture
def as_of(monkeypatch):
    """Let the replica have everything up to a moment."""

    def put(at):
        value = f"timestamptz '{at.isoformat()}'" if at else "NULL::timestamptz"
        monkeypatch.setattr(replica, "AS_OF", f"SELECT {value}")

    return put


def sign(page):
    """Return the words of the strip that marks a page; nothing if there is none."""
    words = re.search(rf"{SIGN}.*?<strong>(.*?)</strong>", page.text, re.DOTALL)
    return unescape(words[1]) if words else ""


def program(person):
    found = programs.program(person)
    found.client.raise_request_exception = False
    return found


def test_every_address_is_read_from_a_replica_and_marked(found, subtests):
    before = {here.path: here.come().get(here.path) for here in found}
    marked = 0
    with no_primary():
        for here in found:
            with subtests.test(f"{here.name} {here.route}"):
                answer = here.come(raise_request_exception=False).get(here.path)
                if here.name in NEVER:
                    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
                    continue
                assert answer.status_code == before[here.path].status_code
                assert datetime.fromisoformat(answer["Data-As-Of"]) <= datetime.now(UTC)
                assert settings.SESSION_COOKIE_NAME not in answer.cookies
                is_page = answer.headers.get("Content-Type", "").startswith("text/html")
                if answer.status_code == 200 and is_page and here.name not in PARTS:
                    assert answer.text.count(SIGN) == 1
                    marked += 1
    assert marked > len(found) / 3
    now = next(here for here in found if here.path == BOARD)
    assert SIGN not in now.come().get(BOARD).text


def test_every_address_refuses_changes_and_says_when_to_ask_again(found, subtests):
    there = Booking.objects.count()
    with no_primary():
        for here in found:
            browser = here.come(raise_request_exception=False)
            others = (browser.put, browser.patch, browser.delete)
            other = others[here.number % len(others)]
            changes = (other,) if here.name in QUERIES else (browser.post, other)
            for send in here.share(changes, of=len(changes)):
                with subtests.test(f"{send.__name__} {here.name} {here.route}"):
                    browser.get(READ)  # the change finds a connection to the replica
                    answer = send(here.path)
                    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
                    is_problem = "problem+json" in answer["Content-Type"]
                    assert is_problem == here.path.startswith("/api/")
    assert Booking.objects.count() == there


def test_a_query_is_answered_however_it_is_sent(browser, space):
    query = {"query": "{ spaces { items { slug } } }"}
    with no_primary():
        said = browser.get("/api/graphql", query)
        asked = browser.post("/api/graphql", query, content_type="application/json")
    assert said.json() == asked.json() == {"data": {"spaces": {"items": [{"slug": "loft"}]}}}
    assert "Data-As-Of" in said
    assert "Data-As-Of" in asked


def test_a_board_says_when_in_the_zone_of_its_times(browser, alice, space, clock, as_of):
    type(space).objects.update(time_zone="Europe/Moscow")
    User.objects.update(time_zone="Asia/Tokyo")
    clock.now = clock.now.replace(hour=11, minute=10)  # the same day in both
    as_of(clock.now - timedelta(minutes=7))
    with no_primary():
        board, mine = browser.get(BOARD), browser.get("/bookings/")
    assert sign(board) == "As of 14:03 (Moscow time)"
    assert sign(mine) == "As of 20:03 (Tokyo time)"


def test_another_day_is_named(browser, space, clock, as_of):
    as_of(clock.now - timedelta(days=1))
    with no_primary():
        page = browser.get(BOARD)
    assert re.fullmatch(r"As of \w{3} \d+ \w{3}, \d+:\d\d \(UTC\)", sign(page)), sign(page)


def test_in_russian(browser, space, clock, as_of):
    User.objects.update(language="ru")
    as_of(clock.now)
    with no_primary():
        assert sign(browser.get(BOARD)) == f"По состоянию на {clock.now:%-H:%M} (UTC)"


def test_a_replica_that_does_not_know_says_so(browser, alice, space, as_of):
    as_of(None)
    asking = program(alice)
    with no_primary():
        assert sign(browser.get(BOARD)) == "Perhaps not up to date"
        assert asking.get("/spaces")["Data-As-Of"] == "unknown"


def test_what_is_kept_in_the_browser_is_kept_apart(browser, space, as_of, clock):
    as_of(clock.now)
    now = browser.get(BOARD)
    with no_primary():
        known = {"if-none-match": now["ETag"]}
        old = browser.get(BOARD, headers=known)
        assert (old.status_code, sign(old) != "") == (200, True)
        again = browser.get(BOARD, headers={"if-none-match": old["ETag"]})
        assert (again.status_code, again["Data-As-Of"]) == (304, old["Data-As-Of"])
    back = browser.get(BOARD, headers={"if-none-match": old["ETag"]})
    assert (back.status_code, sign(back)) == (200, "")


def test_a_session_that_the_replica_does_not_know_is_not_ended(client, space):
    client.cookies[settings.SESSION_COOKIE_NAME] = "made-a-moment-ago"
    with no_primary():
        assert client.get("/bookings/").status_code == 302
        assert client.cookies[settings.SESSION_COOKIE_NAME].value == "made-a-moment-ago"
    client.get("/bookings/")
    assert client.cookies[settings.SESSION_COOKIE_NAME].value == ""


def test_a_session_that_a_new_password_ended_is_refused_and_kept(browser, alice):
    alice.set_password("another-password-1")
    alice.save()
    with no_primary():
        assert browser.get("/bookings/").status_code == 302
    assert browser.get("/bookings/")["Location"].startswith("/accounts/login/")


def test_a_program_reads_and_leaves_no_trace(alice, desk, soon):
    asking = program(alice)
    with no_primary():
        assert asking.get("/bookings").json()["items"] == []
        refused = asking.post("/bookings", wish(desk, soon), prefer="respond-async")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert asking.get("/events").json()["code"] == "unavailable"
    assert ApiToken.objects.get().last_used_at is None


def test_a_wish_is_kept_and_can_be_sent_again(browser, desk, soon):
    sent = {
        "place": desk.code,
        "starts_at": f"{soon:%Y-%m-%dT%H:%M}",
        "ends_at": f"{soon + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "note": "By the window",
        "request_key": "once",
    }
    with no_primary():
        browser.get(BOARD)
        page = browser.post("/bookings/", sent)
    for name, value in sent.items():
        assert f'name="{name}" value="{value}"' in page.text
    assert browser.post("/bookings/", sent).status_code == 302


def test_the_front_desk_speaks_of_its_own_time_and_blames_no_worker(client, host, space, as_of):
    type(space).objects.update(time_zone="Europe/Moscow")
    as_of(datetime.now(UTC))
    client.force_login(host)
    assert 'class="amiss"' in client.get("/admin/").text
    with no_primary():
        page = client.get("/admin/")
    assert sign(page).endswith("(Moscow time)")
    assert 'class="amiss"' not in page.text


def test_signing_in_waits_for_the_primary(client, alice):
    client.raise_request_exception = False
    with no_primary():
        assert client.get("/accounts/login/").status_code == 200
        login = {"username": "alice", "password": "wrong-password"}
        assert client.post("/accounts/login/", login).status_code == 503


def test_a_node_that_can_only_read_is_not_ready(browser, space):
    with no_primary():
        assert browser.get(BOARD).status_code == 200
        assert browser.get("/readyz").status_code == 503
        assert browser.get("/readyz?worker=1").json() == {"problems": ["database_unreachable"]}
        assert browser.get("/healthz").status_code == 200


def test_when_the_primary_is_back_everything_is(browser, alice, desk, soon):
    with no_primary() as come_back:
        assert sign(browser.get(BOARD))
        come_back()
        wait_for(lambda: not sign(browser.get(BOARD)))
        assert browser.get("/readyz").status_code == 200
        held = book(desk, alice, soon, soon + timedelta(hours=1))
        assert browser.post(f"{held.get_absolute_url()}cancel/").status_code == 302


def test_without_a_replica_there_is_an_outage(browser):
    with no_primary():
        del connection.settings_dict["REPLICA"]
        answer = browser.get("/bookings/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("url", "is_sqlite", "errors"),
    [
        ("", True, []),
        ("postgres://replica/mesto", False, []),
        ("postgresql://replica/mesto", False, []),
        ("sqlite:///replica", False, ["mesto.E008"]),
        ("postgres://replica/mesto", True, ["mesto.E008"]),
    ],
)
def test_a_replica_that_is_none_is_reported(settings, url, is_sqlite, errors):
    settings.REPLICA_URL, settings.IS_SQLITE = url, is_sqlite
    assert [error.id for error in check_replica(None)] == errors


def test_a_pool_is_waited_for_no_longer_than_a_connection():
    waits = settings.DATABASE_WAITS
    made = options.options({"pool": True}, waits, is_serving=True, prepares=True)
    assert made["pool"] == {"timeout": made["connect_timeout"]}
    assert "pool" not in options.of_a_replica(made, {})


@pytest.mark.parametrize(
    ("params", "addresses"),
    [
        ({"host": "db", "port": "5001"}, [("db", 5001)]),
        ({"host": "db"}, [("db", 5432)]),
        ({"host": "one,two", "port": "5001,5002"}, [("one", 5001), ("two", 5002)]),
        ({"host": "one,two", "port": "5001"}, [("one", 5001), ("two", 5001)]),
        ({"host": "one", "hostaddr": "10.0.0.1"}, [("10.0.0.1", 5432)]),
        ({}, []),
    ],
)
def test_every_server_of_an_address_is_asked(params, addresses):
    assert list(replica._addresses(params)) == addresses
