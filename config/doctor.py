"""What `manage.py doctor` looks at: each part says whether it is well, or what to do."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.checks import run_checks
from django.core.mail import mailers
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from config.backups.manifest import Refused
from config.backups.storage import storage
from config.backups.taking import newest
from config.collected import uncollected
from config.heartbeat import Attendance
from config.mailers import CONSOLE

MOST_SKEW = timedelta(seconds=2)  # workers compare their clocks with what others wrote
LEAST_FREE = 0.1  # of the disk
LEAST_BYTES = 500_000_000
PATIENCE = 5  # seconds for a server that doesn't answer
OUTAGE = (DatabaseError, InterfaceError)


class State(StrEnum):
    WELL = "ok"
    WARNING = "warning"
    ILL = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    part: str
    state: State
    says: str  # one sentence; of what isn't well it says what to do


def examine(now: Callable[[], datetime]) -> Iterator[Finding]:
    """Look at every part; what one needs of another and can't have, it says itself."""
    yield from _settings()
    for part, look in PARTS.items():
        try:
            state, says = look(now)
        except OUTAGE as error:
            reason = str(error).partition("\n")[0]
            if part == "database":
                state, says = (
                    State.ILL,
                    f"No answer ({reason}): look at DATABASE_URL and the server.",
                )
            else:
                state, says = State.SKIPPED, f"It waits for what is wrong above ({reason})."
        yield Finding(part, state, says)


type Look = tuple[State, str]


def _settings() -> Iterator[Finding]:
    found = run_checks(include_deployment_checks=not settings.DEBUG)
    wrong = [each for each in found if not each.is_silenced()]
    if not wrong:
        yield Finding("settings", State.WELL, "No setting is wrong.")
    for each in wrong:
        state = State.ILL if each.is_serious() else State.WARNING
        says = each.msg.strip().partition(". ")[0].rstrip(".")
        yield Finding("settings", state, f"{says}. {each.hint or ''}".strip())


def _database(_now: Any) -> Look:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if connection.vendor == "sqlite":
        return State.WELL, "SQLite answers."
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), current_setting('server_version')")
        [(is_replica, version)] = cursor.fetchall()
    if is_replica:
        return State.ILL, "DATABASE_URL leads to a replica: name the primary, or all hosts."
    return State.WELL, f"PostgreSQL {version} answers, and is the primary."


def _migrations(_now: Any) -> Look:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return State.ILL, f"{len(missing)} migrations are missing: run `manage.py migrate`."
    if unknown := set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations):
        first = ".".join(sorted(unknown)[0])
        return (
            State.WARNING,
            f"A newer release has migrated ({first}): finish the deployment.",
        )
    return State.WELL, "All migrations are applied."


def _clocks(now: Callable[[], datetime]) -> Look:
    if connection.vendor == "sqlite":
        return State.SKIPPED, "SQLite has no clock of its own."
    with connection.cursor() as cursor:
        before = now()
        cursor.execute("SELECT clock_timestamp()")
        [(theirs,)] = cursor.fetchall()
        after = now()
    skew = max(before - theirs, theirs - after, timedelta())  # what the question took is no skew
    if skew > MOST_SKEW:
        return (
            State.ILL,
            f"The clocks here and in the database are {skew.total_seconds():.0f} seconds apart: "
            "let NTP set both.",
        )
    return State.WELL, "This machine's clock and the database's agree."


def _worker(now: Callable[[], datetime]) -> Look:
    found = Attendance.at(now())
    if found.problems:
        start = "start `manage.py worker`, or look at its log."
        return State.ILL, f"{' '.join(found.sentences)} What to do: {start}"
    return State.WELL, f"{found.workers} workers are there, and nothing waits too long."


def _mail(_now: Any) -> Look:
    if settings.MAILERS["default"]["BACKEND"] == CONSOLE:
        return State.WARNING, "Mail is printed and reaches nobody: set EMAIL_URL."
    mailer = mailers.default
    try:
        mailer.open()  # signs in, and sends nothing
        mailer.close()
    except (OSError, ValueError) as error:
        return State.ILL, f"The mail server can't be used ({error}): look at EMAIL_URL."
    return State.WELL, "The mail server lets us in."


def _kafka(_now: Any) -> Look:
    if not settings.KAFKA["bootstrap_servers"]:
        return State.SKIPPED, "Kafka isn't used."
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    from notifications.kafka.clients import options

    try:
        found = AdminClient(options({}, {})).list_topics(timeout=PATIENCE)
    except KafkaException as error:
        return (
            State.ILL,
            f"No broker answers ({error.args[0].str()}): look at KAFKA_BOOTSTRAP_SERVERS.",
        )
    return State.WELL, f"{len(found.brokers)} brokers answer."


def _cache(_now: Any) -> Look:
    key, value = f"doctor:{socket.gethostname()}", str(time.time_ns())
    try:
        cache.set(key, value, timeout=60)
        found = cache.get(key)
    except Exception as error:  # each kind of cache has errors of its own
        return State.ILL, f"The cache can't be used ({error}): look at CACHE_URL."
    if found != value:
        return State.ILL, "The cache forgets at once: look at its memory, and at CACHE_URL."
    if settings.IS_CACHE_OUR_OWN:
        return (
            State.WARNING,
            "Each process has a cache of its own: set CACHE_URL for more than one.",
        )
    return State.WELL, "The cache remembers."


def _disk(_now: Any) -> Look:
    found = shutil.disk_usage(settings.VAR_DIR)
    if found.free < min(LEAST_BYTES, LEAST_FREE * found.total):
        return (
            State.ILL,
            f"Only {found.free // 1_000_000} MB are free at {settings.VAR_DIR}: make room.",
        )
    return State.WELL, f"{found.free // 1_000_000_000} GB are free."


def _static(_now: Any) -> Look:
    if missing := uncollected():
        return State.ILL, f"{missing} isn't collected: run `manage.py collectstatic`, and restart."
    return State.WELL, "Static files are collected."


def _backups(now: Callable[[], datetime]) -> Look:
    longest = settings.BACKUPS["max_age_hours"]
    if not longest:
        return State.SKIPPED, "Somebody else makes backups (BACKUP_MAX_AGE_HOURS=0)."
    try:
        found = newest(storage())
    except Refused as error:
        return State.ILL, f"{error} Look at BACKUP_URL."
    if found is None:
        return State.WARNING, "There is no backup: run `manage.py backup` every night."
    age = now() - found.when.astimezone(UTC)
    if age > timedelta(hours=longest):
        hours = int(age.total_seconds() // 3600)
        return State.ILL, f"The newest backup is {hours} hours old: see why the nightly one fails."
    return State.WELL, f"The newest backup is of {found.when:%Y-%m-%d %H:%M} UTC."


def _archive(_now: Any) -> Look:
    if connection.vendor == "sqlite":
        return State.SKIPPED, "SQLite has no log that could be archived."
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('archive_mode') = 'off', last_failed_wal,"
            " last_failed_time > COALESCE(last_archived_time, '-infinity') FROM pg_stat_archiver"
        )
        [(is_off, failed, is_failing)] = cursor.fetchall()
    if is_off:
        return State.SKIPPED, "The database's log isn't archived: no way back to a point in time."
    if is_failing:
        return (
            State.ILL,
            f"The database can't archive its log ({failed}), which fills its disk: "
            "look at its archive_command and where that leads.",
        )
    return State.WELL, "The database's log is archived."


PARTS: dict[str, Callable[[Callable[[], datetime]], Look]] = {
    "database": _database,
    "migrations": _migrations,
    "clocks": _clocks,
    "worker": _worker,
    "mail": _mail,
    "kafka": _kafka,
    "cache": _cache,
    "disk": _disk,
    "static files": _static,
    "backups": _backups,
    "archive": _archive,
}
