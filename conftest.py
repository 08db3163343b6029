"""The people and the setting of the tests."""

import gc
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from math import inf
from pathlib import Path
from subprocess import Popen
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import timezone, translation

from accounts import acting, flags
from accounts.factories import StaffRoleFactory, UserFactory
from accounts.models import StaffRole, User
from bookings.finding.overview import known_lately
from config.tests import emptying, processes
from config.tests.clock import Clock
from scripts import prepared
from spaces import setups
from spaces.factories import open_space
from spaces.models import Place, Space
from spaces.setups import Setup
from spaces.tests.elsewhere import content

pytest_plugins = ["notifications.tests.broker"]

#: Files that take long, because they wait or do much. They come first: at the end of a pass, nobody
#: should have to wait for one of them alone.
LONGEST = {
    file: number
    for number, file in enumerate(
        (
            "tests/test_cluster.py",
            "browser/test_pages.py",
            "browser/test_long_words.py",
            "tests/test_bad_input.py",
            "tests/test_waiting.py",
            "tests/test_online.py",
            "tests/test_consume_requests.py",
            "tests/test_crosswise.py",
            "tests/test_read_only.py",
            "tests/test_growth.py",
            "tests/test_page_matrix.py",
            "tests/test_evening.py",
            "tests/test_standby.py",
            "tests/test_both_releases.py",
            "tests/test_demo.py",
            "tests/test_rolling.py",
            "tests/test_migrate.py",
            "tests/test_bad_queries.py",
            "browser/test_staff_work.py",
            "tests/test_backups.py",
        )
    )
}

#: Whether another pass runs what needn't run on this database.
IS_DIVIDED = "DIVIDED" in os.environ
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)  # a Wednesday, before the house opens


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shuffle",
        metavar="SEED",
        help="run files, and the tests of each, in a random order that the seed decides",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give property tests time; try the same examples every time, others when shuffling."""
    hypothesis.settings.register_profile(
        "mesto",
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        derandomize=not config.getoption("shuffle"),
    )
    hypothesis.settings.load_profile("mesto")
    TransactionTestCase._fixture_teardown = emptying.empty
    acting.check_transaction = require_transaction


def require_transaction(table: str) -> None:
    """Fail where a page changes something outside a transaction; a test's own doesn't count."""
    opened = [each for each in connection.atomic_blocks if not each._from_testcase]
    assert opened, f"{table} changes outside a transaction, without its line in the audit"


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("shuffle")
    return f"shuffled: --shuffle {seed}" if seed else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skip_what_runs_elsewhere(items)
    if seed := config.getoption("shuffle"):
        shuffle(items, seed)
    else:
        items.sort(key=lambda item: LONGEST.get(f"{item.path.parent.name}/{item.path.name}", 99))


def skip_what_runs_elsewhere(items: list[pytest.Item]) -> None:
    """Leave tests that needn't run on both databases to one pass; only `make test` asks for this.

    On SQLite run those that don't depend on the database: they are marked `any_database`, or drive
    a browser. Long ones that start processes run where their mark `one_database` says.
    """
    here = connection.vendor
    for item in items:
        in_browser, same, one = (
            item.get_closest_marker(mark) for mark in ("browser", "any_database", "one_database")
        )
        if same and not in_browser and depends_on_database(item):
            if same in item.own_markers or "deciding" in item.path.parts:
                raise pytest.UsageError(
                    f"{item.nodeid} can't be marked any_database: see CONTRIBUTING.md"
                )
            same = None  # the mark of its module is for the others
        there = "sqlite" if same or in_browser else here
        if one:
            [there] = one.args
        if there != here and IS_DIVIDED and not item.get_closest_marker("both_databases"):
            item.add_marker(pytest.mark.skip(reason=f"The pass on {NAMES[there]} has them."))


def depends_on_database(item: pytest.Item) -> bool:
    """Tell whether a test commits, races, starts processes, or is about deciding."""
    fixtures = {"transactional_db", "live_server", "manage"}.intersection(
        getattr(item, "fixturenames", ())
    )
    marker = item.get_closest_marker("django_db")
    return bool(
        fixtures or "deciding" in item.path.parts or (marker and marker.kwargs.get("transaction"))
    )


def shuffle(items: list[pytest.Item], seed: str) -> None:
    """Shuffle the files, and the tests within each, which stay together with their fixtures."""
    dice, files = random.Random(seed), defaultdict(list)
    for item in items:
        files[item.path].append(item)
    order = list(files.values())
    dice.shuffle(order)
    for tests in order:
        dice.shuffle(tests)
    items[:] = chain.from_iterable(order)


def pytest_collection_finish() -> None:
    """Let the garbage collector skip what stays to the end anyway: saves a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in separate lines what was skipped, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, count in Counter(str(each.longrepr[2]) for each in skipped).items():
        line = f"{count} tests were SKIPPED. {reason.removeprefix('Skipped: ')}"
        terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Let threads wait for their turn at the database however slow the machine is."""
    prepare(connection.creation)
    found = connection.settings_dict
    name = "timeout" if connection.vendor == "sqlite" else "connect_timeout"
    found["OPTIONS"][name] = processes.PATIENCE
    if connection.vendor == "sqlite":
        # Django removes the file that a killed run left, but not SQLite's files beside it.
        for beside in ("-wal", "-shm"):
            Path(f"{found['TEST']['NAME']}{beside}").unlink(missing_ok=True)


def prepare(creation: Any) -> None:
    """Let the test's database have its tables from a copy, instead of by all migrations."""
    create = creation._create_test_db

    def create_and_fill(*args: Any) -> str:
        name: str = create(*args)
        prepared.fill(processes.database_url(name))
        return name

    creation._create_test_db = create_and_fill
    creation.connection.settings_dict["TEST"]["MIGRATE"] = False


@pytest.fixture(autouse=True)
def set_ups_that_are_shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail whoever writes to a set-up, or to its space or places: all requests share them."""
    made: list[tuple[Setup, str]] = []
    put = setups._Kept.put

    def noted(kept: setups._Kept, setup: Setup) -> Setup:
        made.append((setup, content(setup)))
        return put(kept, setup)

    monkeypatch.setattr(setups._Kept, "put", noted)
    yield
    for setup, was in made:
        assert content(setup) == was


@pytest.fixture(autouse=True)
def plain_settings() -> Iterator[None]:
    """Hash passwords fast, serve static files from their sources, begin in English.

    Every client would look through all that has been collected, which takes longer than a page. A
    request leaves its language and its count behind for the next test.
    """
    cache.clear()
    flags.remembered.keep({}, until=inf)  # all are on; a look now and then would be counted
    known_lately.clear()  # the keys of rows that a test rolled back come again
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    # Not by assignment: a storage that was used before would stay.
    english = translation.override("en")
    with (
        english,
        override_settings(
            PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            STORAGES={**settings.STORAGES, "staticfiles": plain},
            STATIC_ROOT=settings.VAR_DIR / "nothing-collected",
        ),
    ):
        yield


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of pages and API, under this test's control; other processes have the real one."""
    found = Clock(timezone.now().replace(microsecond=0))
    found.stop(monkeypatch)
    return found


@pytest.fixture
def soon() -> datetime:
    """Ten o'clock the day after tomorrow, for pages, which use the real clock."""
    day = datetime.now(UTC) + timedelta(days=2)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


@pytest.fixture
def space(db: None) -> Space:
    """A coworking space in UTC, open every day 8–22, with desks 1 to 3."""
    return open_space(slug="loft", name="Loft", places=3)


@pytest.fixture
def desk(space: Space) -> Place:
    return space.places.get(number=1)


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")


@pytest.fixture
def host(space: Space) -> User:
    """Runs the day at Loft."""
    return StaffRoleFactory.create(
        user__username="hanna", space=space, role=StaffRole.Role.HOST
    ).user


@pytest.fixture
def manager(space: Space) -> User:
    """Sets Loft up."""
    return StaffRoleFactory.create(
        user__username="marat", space=space, role=StaffRole.Role.MANAGER
    ).user


@pytest.fixture
def inn(db: None) -> Space:
    """A restaurant in UTC, open every day 8–22, with tables 1 to 3, each for four."""
    table = {"kind": "TABLE", "capacity": 4}
    return open_space(slug="inn", name="Inn", kind="RESTAURANT", time_zone="UTC", place=table)


@pytest.fixture
def always_open(inn: Space) -> Space:
    """It never closes, for pages, which use the real clock."""
    inn.opening_hours.update(opens_at=time(0), closes_at=time(0))
    return inn


@pytest.fixture
def table(inn: Space) -> Place:
    return inn.places.get(number=1)


@pytest.fixture
def boss(db: None) -> User:
    """May do everything."""
    return UserFactory.create(username="boss", is_superuser=True)


@pytest.fixture
def manage() -> Iterator[Callable[..., "Popen[str]"]]:
    """Start management commands as processes: `manage("worker", "--once", NAME_OF_SETTING="1")`."""
    started: list[Popen[str]] = []

    def start(*arguments: str, **environment: str) -> "Popen[str]":
        started.append(processes.start(*arguments, **environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
