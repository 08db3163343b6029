"""The drill: back up while people book, restore into a fresh server, compare; what is refused."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pyrage
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from accounts.factories import UserFactory
from bookings.models import Booking, BookingEvent
from bookings.tests.acts import TEN, book, hours
from config.backups import manifest, taking
from config.backups.restoring import restore
from config.backups.storage import manifests, storage
from config.tests.processes import PATIENCE, environ, wait_for
from scripts import postgres
from spaces.factories import open_space

pytestmark = pytest.mark.django_db(transaction=True)

BASE = Path(django_settings.BASE_DIR)


@pytest.fixture
def kept(settings, tmp_path):
    settings.BACKUPS = {**settings.BACKUPS, "url": str(tmp_path / "kept"), "keep": 2}
    return storage()


@pytest.fixture
def fresh(tmp_path):
    """Return the address of a database that nobody has used, of the same engine."""
    with ExitStack() as stack:
        if connection.vendor == "sqlite":
            yield f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
        else:
            yield stack.enter_context(postgres.own_server()).url


def manage(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE,
        env=environ(**environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_a_backup_under_load_comes_back_whole_in_a_fresh_server(kept, fresh, tmp_path, now):
    house, members = open_space(places=4), UserFactory.create_batch(2)
    places, stop, booked = list(house.places.by_number()), Event(), []

    def go_on(member, own):
        try:
            for day in range(300):
                for place in own:
                    if stop.is_set():
                        return
                    booked.append(
                        book(place, member, now, starts_at=TEN + hours(24 * day), length=1).code
                    )
        finally:
            connections.close_all()

    crowd = [Thread(target=go_on, args=(m, places[n::2])) for n, m in enumerate(members)]
    for each in crowd:
        each.start()
    try:
        wait_for(lambda: len(booked) > 6)
        before = Booking.objects.count()
        dumped = []

        def tell(size):
            if not dumped:  # the dump has begun, and people go on
                many = len(booked)
                wait_for(lambda: len(booked) > many)
            dumped.append(size)

        made = taking.take(kept, now=now, progress=tell)
    finally:
        stop.set()
        for each in crowd:
            each.join()
    assert made.content.last_event < BookingEvent.objects.order_by("pk").last().pk
    assert made.content.counts["bookings_booking"] >= before

    done = manage("restore", "latest", "--from", str(tmp_path / "kept"), DATABASE_URL=fresh)
    assert (done.returncode, done.stderr) == (0, "")
    checked = manage("check_bookings", DATABASE_URL=fresh)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{made.content.counts['bookings_booking']} bookings checked" in checked.stdout
    # The copy says of itself what the first backup said.
    again = manage("backup", "--to", str(tmp_path / "again"), DATABASE_URL=fresh)
    assert again.returncode == 0, again.stderr
    assert taking.newest(storage(str(tmp_path / "again"))).content == made.content
    # It isn't empty now.
    refused = manage("restore", "latest", "--from", str(tmp_path / "kept"), DATABASE_URL=fresh)
    assert refused.returncode == 1
    assert "--force" in refused.stderr


def quietly(_done):
    pass


@pytest.fixture
def made(kept, alice, now):
    return taking.take(kept, now=now, progress=quietly)


def put_back(kept, **more):
    return restore(
        kept, "latest", **{"identity": None, "is_forced": True, "progress": quietly, **more}
    )


def test_a_force_brings_back_what_was(kept, made, alice, now):
    UserFactory.create(username="later")
    put_back(kept)
    assert not type(alice).objects.filter(username="later").exists()
    assert type(alice).objects.filter(pk=alice.pk).exists()


@pytest.mark.parametrize("harm", ["a byte", "an end", "a count", "a migration", "an engine"])
def test_what_is_damaged_or_foreign_changes_nothing(kept, made, tmp_path, harm):
    path = tmp_path / "kept" / made.name
    beside = path.with_name(f"{made.name}.json")
    if harm == "a byte":
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    elif harm == "an end":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        old, new = {
            "a count": ('"accounts_user": 1', '"accounts_user": 2'),
            "a migration": ('"accounts.0001_initial"', '"accounts.9999_later"'),
            "an engine": (f'"{connection.vendor}"', '"oracle"'),
        }[harm]
        assert old in beside.read_text()
        beside.write_text(beside.read_text().replace(old, new))
    UserFactory.create(username="later")
    with pytest.raises(manifest.Refused):
        put_back(kept)
    assert UserFactory._meta.model.objects.filter(username="later").exists()


def test_only_the_newest_are_kept_and_a_half_put_one_is_none(kept, made, now, tmp_path):
    for n in range(1, 4):
        taking.take(kept, now=now + hours(n), progress=quietly)
    (tmp_path / "kept/mesto-99991231T000000.000000Z.dump").write_text("its manifest is missing")
    assert len(manifests(kept)) == 2
    assert taking.newest(kept).when == now + hours(3)
    assert not (tmp_path / "kept" / made.name).exists()


def test_only_the_holder_of_the_key_can_read_it(kept, settings, alice, now, tmp_path):
    own = pyrage.x25519.Identity.generate()
    settings.BACKUPS = {**settings.BACKUPS, "recipient": str(own.to_public())}
    made = taking.take(kept, now=now, progress=quietly)
    assert alice.username.encode() not in (tmp_path / "kept" / made.name).read_bytes()
    with pytest.raises(manifest.Refused, match="--identity"):
        put_back(kept)
    (tmp_path / "key").write_text(f"# created\n{pyrage.x25519.Identity.generate()}\n")
    with pytest.raises(manifest.Refused, match="doesn't open"):
        put_back(kept, identity=tmp_path / "key")
    (tmp_path / "key").write_text(f"# created\n{own}\n")
    put_back(kept, identity=tmp_path / "key")


def test_a_key_that_is_none_is_told_in_a_sentence(kept, settings, now):
    settings.BACKUPS = {**settings.BACKUPS, "recipient": "age1nothing"}
    with pytest.raises(CommandError, match="BACKUP_AGE_RECIPIENT"):
        call_command("backup")


def test_a_bucket_keeps_them_too(settings, alice, now, tmp_path):
    port = postgres.free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            url = f"s3://kept/deep/down?endpoint=http://127.0.0.1:{port}"
            settings.BACKUPS = {
                **settings.BACKUPS, "url": url, "keep": 1, "s3_key": "key", "s3_secret": "secret",
            }  # fmt: skip
            bucket = storage()

            def answers():
                try:
                    bucket._client.make_bucket("kept")
                except Exception:  # it is starting
                    return False
                return True

            wait_for(answers)
            for n in range(2):
                taking.take(bucket, now=now + hours(n), progress=quietly)
            assert [*bucket.names()] == [
                name for each in manifests(bucket) for name in (each.removesuffix(".json"), each)
            ]
            assert len(manifests(bucket)) == 1
            UserFactory.create(username="later")
            put_back(bucket)
            assert not type(alice).objects.filter(username="later").exists()
            with pytest.raises(manifest.Refused, match="nowhere"):
                list(storage(url.replace("kept", "nowhere")).names())
        finally:
            server.terminate()
