"""Whatever a board shows is seen at the next request, in every process, when it has changed."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import time, timedelta

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.finding.shelf import shelf
from bookings.models import Booking
from bookings.tests.acts import book
from config.tests import http, redis_server
from config.tests.processes import database_url, wait_for
from scripts import postgres
from spaces.factories import ClosureFactory, PolicyFactory, ShiftFactory, TurnTimeFactory
from spaces.models import OpeningHours

PROCESSES = 2

FRESH = re.compile(
    r'(?<=name="csrfmiddlewaretoken" value=")[A-Za-z0-9]+'
    r'|(?<=name="request_key" value=")[^"]+'
    r"|(?<=\.)[0-9a-f]{12}\.(?=css|js|svg|png)"  # names of collected static files
)


@contextmanager
def process(home, **environment):
    """Serve the test's database by one web process; yield its address."""
    port = postgres.free_port()
    env = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "false",
        "LISTEN": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        **environment,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
    with (home / f"web-{port}").open("w") as log:
        web = subprocess.Popen(command, cwd=settings.BASE_DIR, env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_up(url))
        yield url
    finally:
        web.terminate()
        web.wait()


def is_up(url):
    try:
        return http.get(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(params=["memory", "shared"])
def sites(request, transactional_db, homes):
    """Two web processes, with a cache of their own or with one that they share."""
    with ExitStack() as stack:
        environment = {"CACHE_URL": "locmemcache://"}
        if request.param == "shared":
            port = stack.enter_context(redis_server.serving(homes))
            environment["CACHE_URL"] = f"redis://127.0.0.1:{port}/1"
        yield [stack.enter_context(process(homes, **environment)) for _ in range(PROCESSES)]


class Change:
    """Everything that a board is made of, each changed by somebody at once."""

    def __init__(self, space, reader, soon):
        self.space, self.reader, self.soon = space, reader, soon
        self.other = UserFactory.create(username="somebody-else")
        self.before = soon - timedelta(days=1)
        self.desk = space.places.get(number=1)
        PolicyFactory.create(
            space=space, group=Group.objects.create(name="friends"), min_minutes=240
        )

    def somebody_books(self):
        self.booking = book(self.desk, self.other, self.before, starts_at=self.soon)

    def somebody_cancels(self):
        services.cancel(self.booking, by=self.other, now=self.before)

    def the_reader_books(self):
        book(self.desk, self.reader, self.before, starts_at=self.soon)

    def a_closure(self):
        ends_at = self.soon + timedelta(hours=4)
        place = self.space.places.get(number=2)
        ClosureFactory.create(space=self.space, place=place, starts_at=self.soon, ends_at=ends_at)

    def hours(self):
        OpeningHours.objects.filter(space=self.space).update(closes_at=time(20))

    def a_policy(self):
        PolicyFactory.create(space=self.space, cancel_deadline_minutes=60)

    def parts(self):
        self.space.places.get(number=3).parts.add(self.desk)

    def a_place(self):
        self.space.places.create(number=7, capacity=2)

    def a_withdrawn_place(self):
        self.space.places.filter(number=7).update(is_bookable=False)

    def name_of_the_place(self):
        self.space.places.filter(number=2).update(name="By the window")

    def name_of_the_space(self):
        type(self.space).objects.filter(pk=self.space.pk).update(name="Attic")

    def features(self):
        self.space.places.filter(number=2).update(features=["monitor"])

    def contact(self):
        type(self.space).objects.filter(pk=self.space.pk).update(phone="+44 20 7946 0018")

    def turn_times(self):
        TurnTimeFactory.create(space=self.space, from_party=1)

    def a_shift(self):
        first, last = time(8), time(18)
        ShiftFactory.create(
            space=self.space, first_seating=first, last_seating=last, covers_online=3
        )

    def how_many_come(self):
        """Nobody more may arrive then."""
        Booking.objects.of(self.reader).update(party_size=3)

    def area(self):
        self.space.places.filter(number=2).update(area="Terrace")

    def group(self):
        self.reader.groups.add(Group.objects.get(name="friends"))

    def name_of_the_reader(self):
        type(self.reader).objects.filter(pk=self.reader.pk).update(name="Alicia")

    def theme(self):
        type(self.reader).objects.filter(pk=self.reader.pk).update(theme="DARK")

    def language(self):
        type(self.reader).objects.filter(pk=self.reader.pk).update(language="ru")


CHANGES = [name for name in vars(Change) if not name.startswith("_")]


def plain(text):
    return FRESH.sub("", text)


@pytest.mark.one_database("postgresql")
def test_every_change_is_seen_at_once_in_every_process(sites, space, alice, soon):
    """The oracle is a page that this process renders anew."""
    url = f"/spaces/loft/?date={soon.date()}&from=10:00&to=12:00"
    here = Client()
    here.force_login(alice)
    cookies = {name: morsel.value for name, morsel in here.cookies.items()}
    browsers = [http.client(site, cookies=cookies) for site in sites]
    change = Change(space, alice, soon)

    def fresh():
        shelf.clear()
        return plain(here.get(url).content.decode())

    def seen():
        return [plain(browser.get(url).raise_for_status().text) for browser in browsers]

    earlier = fresh()
    assert seen() == [earlier] * PROCESSES
    for name in CHANGES:
        getattr(change, name)()
        now = fresh()
        assert now != earlier, f"{name} changes nothing"
        for shown in seen():
            assert shown == now, name
        earlier = now
