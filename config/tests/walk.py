"""Every URL of the site, with rows to fill it in and people to come to it.

The URLs come from the URLconf, so new ones are tried too; a parameter that nothing here can fill in
fails until it is told how.
"""

import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import time, timedelta
from itertools import count
from urllib.parse import quote
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone, translation

from accounts import presses
from accounts.factories import StaffRoleFactory, TierFactory, UserFactory
from accounts.models import AuditEntry, Session, Tally
from accounts.tests.programs import issue
from accounts.tests.second_factor import passkey_of
from bookings.deciding import door_keys, links, waiting_links
from bookings.deciding.log import place_new
from bookings.finding.signed import check_in_url, place_url
from bookings.models import RefusalCount
from bookings.tests import acts
from bookings.tests.acts import book, hours
from bookings.tests.door import add
from config.tests.watching import Writes
from notifications.calendars import feeds
from notifications.factories import WebhookFactory
from notifications.models import RefusedRequest
from notifications.preferences import unsubscribe_url
from notifications.relay import fan_out
from spaces.factories import (
    ClosureFactory,
    PlaceFactory,
    PolicyFactory,
    ShiftFactory,
    TurnTimeFactory,
)
from spaces.models import Place

#: What fills each URL parameter: a word, or the row with that key; {row} is the one that
#: the URL names, as in /admin/spaces/place/<object_id>/change/.
FILLED = {
    "key": "1-of-nobody",
    "slug": "loft",
    "code": "booking",
    "pk": "space",
    "number": "1",
    "id": "user",
    "object_id": "{row}",
    "token": "feed",
    "table": "days",
    "app_label": "bookings",
    "url": "nothing/here/",
}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>.*?\)(?=[/$])")

#: Pages that Django's admin has for each model; the last is a row's short URL.
OF_EACH_MODEL = re.compile(
    r"^admin:(?:\w+_(add|change|changelist|delete|history))? (?=admin/\w+/\w+/)"
)

#: Whose code a URL contains, by its prefix; a booking's otherwise.
CODES = {
    "accounts/tokens/": "apitoken",
    "accounts/factors/passkeys/": "passkey",
    "accounts/calendar/": "feed",
    "staff/webhooks/": "endpoint",
    "staff/deliveries/": "delivery",
    "staff/<slug:slug>/doors/": "doorview",
    "staff/<slug:slug>/guests/": "guest",
    "staff/<slug:slug>/members/": "tier",
    "staff/<slug:slug>/seating/": "combination",
}


def addresses(patterns, prefix="", namespace=""):
    """Yield (name, route) for everything below; a few routes of Django's admin have no name."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from addresses(pattern.url_patterns, route, namespace + inner)
        else:
            yield namespace + (pattern.name or ""), route


@pytest.fixture
def rows(space, desk, alice, host, soon):
    """One row of everything, so that each URL about a row has its row."""
    group = Group.objects.create(name="Friends")
    PolicyFactory.create(space=space, group=group)
    booking = book(desk, alice, soon - hours(24), soon)
    visit = book(
        desk,
        None,
        soon - hours(24),
        soon + hours(4),
        by=host,
        guest_name="Anna",
        guest_contact="anna@example.org",
    )
    place_new()  # the first reader of events gives them their positions
    feed = feeds.make(alice, space=None, place=None, now=soon)
    feeds.note_reading(feed, now=soon)  # the first reading would be recorded
    webhook = WebhookFactory.create(space=space)
    fan_out(now=soon)
    return {
        "space": space,
        "place": desk,
        "group": group,
        "closure": ClosureFactory.create(space=space, starts_at=soon + timedelta(days=9)),
        "booking": booking,
        "member": alice,
        "guest": visit.guest,
        "guestlink": links.link_of(visit, now=soon),
        "user": UserFactory.create(username="carol"),
        "accessattempt": AccessAttempt.objects.create(username="dave", failures_since_start=1),
        "apitoken": issue(alice)[0],
        "passkey": passkey_of(alice),
        "feed": feed,
        "endpoint": webhook,
        "delivery": webhook.deliveries.get(booking=booking),
        "waitingparty": add(space, by=host, now=timezone.now()),
        "doorview": screen_at_a_door(space, soon),
        "tier": TierFactory.create(space=space, name="Part-time"),
        "combination": seated(space),
        "refusedrequest": RefusedRequest.objects.create(
            topic="requests", partition=0, offset=1, reason="No JSON.", received_at=soon
        ),
    }


def seated(space):
    """Give a space all that seats its guests; return the combination. No booking begins then."""
    ShiftFactory.create(space=space, name="Night", weekdays="6", first_seating=time(21))
    TurnTimeFactory.create(space=space, from_party=5)
    number = Place.objects.next_number(space)
    parts = [PlaceFactory.create(space=space, number=number + n) for n in (1, 2)]
    whole = PlaceFactory.create(space=space, number=number, capacity=2)
    whole.parts.set(parts)
    return whole


def screen_at_a_door(space, soon):
    """Make one that may do everything, and that was seen a moment ago."""
    found, key = door_keys.make(
        space,
        name="Loft",
        places=[],
        language="en",
        shows_names=True,
        may_check_in=True,
        may_walk_in=True,
        code=uuid4(),
        now=soon,
    )
    door_keys.note_seen(found, now=soon)
    found.key = key
    return found


@pytest.fixture
def sessions(rows, alice, host):
    """The session keys of everybody who has one."""
    boss = UserFactory.create(username="boss", is_superuser=True)
    stranger = StaffRoleFactory.create(user__username="stranger", role="MANAGER").user
    people = {"member": alice, "host": host, "boss": boss, "stranger": stranger}
    return {who: key_of(person) for who, person in people.items()}


def key_of(person):
    """Sign a person in, who has also left a form elsewhere that is kept."""
    client = Client()
    client.force_login(person)
    session = client.session
    left = presses.Press("/bookings/elsewhere/", at=timezone.now().isoformat())
    session[presses.KEPT] = {"left": asdict(left)}
    session.save()
    return session.session_key


def browser(sessions, who, **kwargs):
    found = Client(**kwargs)
    if who in sessions:
        found.cookies[settings.SESSION_COOKIE_NAME] = sessions[who]
    return found


@dataclass
class Address:
    """One URL of the site, what is written there, and who may access it."""

    name: str
    route: str
    rows: dict
    sessions: dict
    before: dict = field(default_factory=dict)
    writes: Writes = field(default_factory=Writes)
    number: int = 0
    #: For pages that Django's admin has for each model: which model's this is.
    model: int | None = None

    @property
    def path(self):
        return path_of(self.route, self.rows)

    @property
    def insider(self):
        """The person who sees most here."""
        is_staffs = self.name.startswith("admin:") or self.route.startswith("staff/")
        return "boss" if is_staffs else "member"

    def come(self, who=None, **kwargs):
        """Return the browser of the insider, or of somebody else."""
        return browser(self.sessions, who or self.insider, **kwargs)

    def share(self, things, *, of=4, always=(), turn=None):
        """Return all of these; in the admin a part of them, for each model another.

        One view of Django serves all models there. It gets everything, from one or another.
        """
        if self.model is None:
            return list(things)
        rest = [each for each in things if each not in always]
        return [*always, *rest[(self.model if turn is None else turn) % of :: of]]

    def is_as_before(self):
        return not self.writes.statements or written() == self.before


def every_address(rows, sessions):
    before, of_each_model = written(), defaultdict(count)
    for number, (name, route) in enumerate(addresses(get_resolver().url_patterns)):
        kind = OF_EACH_MODEL.search(f"{name} {route}")
        model = next(of_each_model[kind[1]]) if kind else None
        yield Address(name, route, rows, sessions, before, Writes(), number, model)


def at_every_address(check):
    """Make a test: try all URLs, undo what each try did, then compare what is written.

    The rows are made once for all; that takes longer than most of the checks.
    """

    def test(rows, sessions, subtests):
        for here in every_address(rows, sessions):
            with (
                subtests.test(f"{here.name} {here.route}"),
                undone(),
                connection.execute_wrapper(here.writes),
            ):
                check(here)
                assert here.is_as_before()

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


@contextmanager
def undone():
    """Leave nothing behind in the database, the cache or the thread's language."""
    cache.clear()
    with translation.override("en"), acts.undone():
        yield


def path_of(route, rows, garbage=None):
    """Fill in a route's parameters, with real values or with garbage."""
    named = next((row for row in rows if f"/{row}/" in route), "space")
    for beginning, row in CODES.items():
        if route.startswith(beginning):
            rows = {**rows, "booking": rows[row]}

    def value(found):
        if garbage is not None:
            return quote(garbage, safe="")
        parameter = found[1] or found[2]
        row = rows.get(filled := FILLED[parameter].format(row=named))
        if row is None:
            return filled
        if parameter == "token" and route.startswith("door/"):
            return str(rows["doorview"].key)
        if parameter == "token":
            return token_for(route, rows)
        return str(row.code if parameter == "code" else row.pk)

    return "/" + PARAMETER.sub(value, route).translate({ord("^"): None, ord("$"): None})


def token_for(route, rows):
    """Return what proves that we made an address."""
    if route.startswith("calendars/"):
        return feeds.token_of(rows["feed"])
    if route.startswith("g/"):
        return links.token_of(rows["guestlink"])
    if route.startswith("w/"):
        return waiting_links.token_of(rows["waitingparty"])
    if route.startswith("check-in/"):
        return check_in_url(rows["booking"]).split("/")[-2]
    if route.startswith("here/"):
        return place_url(rows["place"]).split("/")[-2]
    return unsubscribe_url(rows["member"]).split("/")[-2]


def written():
    """Return all our rows; sessions, the audit, and counts of tries and refusals may change."""
    ours = {"accounts", "spaces", "bookings", "notifications", "auth", "admin"}
    return {
        model._meta.label: sorted(map(repr, model.objects.values_list()))
        for model in apps.get_models()
        if model._meta.app_label in ours and model not in {AuditEntry, Session, Tally, RefusalCount}
    }
