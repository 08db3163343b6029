"""Bad input, tried on every URL and every form: a clear answer, no 500, nothing written.

The URLs come from the URLconf and the forms from the pages, so new ones are tried too; a
parameter that nothing here can fill in fails until it is told how.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from urllib.parse import quote, unquote

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver, is_valid_path
from django.utils import translation

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.models import Tally
from accounts.tests.programs import issue
from bookings.deciding.log import place_new
from bookings.tests.acts import book, hours
from config.tests.garbage import (
    BODIES,
    GARBAGE,
    HEADERS,
    TYPED,
    PostedForms,
)
from config.tests.watching import Writes, looks
from notifications.calendars import feeds
from notifications.factories import WebhookFactory
from notifications.models import RefusedRequest
from notifications.preferences import unsubscribe_url
from notifications.relay import fan_out
from spaces.factories import ClosureFactory, PolicyFactory

pytestmark = pytest.mark.django_db

CLEAR = {200, 301, 302, 400, 401, 403, 404, 405, 409, 422}

#: What fills each URL parameter: a word, or the row with that key; {row} is the one that
#: the URL names, as in /admin/spaces/place/<object_id>/change/.
FILLED = {
    "key": "1-of-nobody",
    "slug": "loft",
    "code": "booking",
    "pk": "space",
    "id": "user",
    "object_id": "{row}",
    "token": "feed",
    "app_label": "bookings",
    "url": "nothing/here/",
}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>.*?\)(?=[/$])")

#: Pages that answer a plain GET with something other than a page.
REFUSED = {
    "new_password": 404,  # a key is valid for two hours
    "confirm_email": 404,  # signed, for an address
    "email_again": 405,
    "reschedule": 405,
    "logout": 405,
    "language": 405,
    "admin:logout": 405,
    "admin:autocomplete": 403,
    "admin:axes_accessattempt_add": 403,
    "admin:bookings_booking_delete": 403,
    "admin:accounts_user_delete": 403,
    "admin:bookings_booking_cancel": 404,  # needs to be told which bookings
    "admin:accounts_user_leave": 404,  # needs to be told which people
    "admin:": 404,
    "admin:accounts_apitoken_add": 403,
    "webhook_ping": 405,
    "webhook_switch": 405,
    "delivery_resend": 405,
    "admin:notifications_endpoint_delete": 403,
    "admin:notifications_delivery_add": 403,
    "admin:notifications_delivery_delete": 403,
    "admin:notifications_refusedrequest_add": 403,
    "api:api-root": 404,
    "api:create_token": 405,
    "api:create_account": 405,
    "api:create_bookings": 405,
    "api:get_availability": 422,  # needs to be told when
}
#: The request is everything here: pressing the button does what it says.
PRESSED = re.compile(
    r"(cancel|revoke|logout|_delete|_ping|_switch|_secret|_remove|_resend|_again|unsubscribe"
    r"|(^|renew_|close_)calendar|^notifications|^stays)$"
)
#: Anyone with the URL may press the button, even a mail program: the URL is the secret.
OPEN = {"unsubscribe"}
#: Whose code a URL contains, by its prefix; a booking's otherwise.
CODES = {
    "accounts/tokens/": "apitoken",
    "accounts/calendar/": "feed",
    "staff/webhooks/": "endpoint",
    "staff/deliveries/": "delivery",
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
        "user": UserFactory.create(username="carol"),
        "accessattempt": AccessAttempt.objects.create(username="dave", failures_since_start=1),
        "apitoken": issue(alice)[0],
        "feed": feed,
        "endpoint": webhook,
        "delivery": webhook.deliveries.get(),
        "refusedrequest": RefusedRequest.objects.create(
            topic="requests", partition=0, offset=1, reason="No JSON.", received_at=soon
        ),
    }


@pytest.fixture
def sessions(rows, alice, host):
    """The session keys of everybody who has one."""
    boss = UserFactory.create(username="boss", is_superuser=True)
    stranger = StaffRoleFactory.create(user__username="stranger", role="MANAGER").user
    people = {"member": alice, "host": host, "boss": boss, "stranger": stranger}
    return {who: key_of(person) for who, person in people.items()}


def key_of(person):
    client = Client()
    client.force_login(person)
    return client.session.session_key


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
    before: dict

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


def at_every_address(check):
    """Make a test: try all URLs, undo what each try did, then compare what is written.

    The rows are made once for all; that takes longer than most of the checks.
    """

    def test(rows, sessions, subtests):
        before = written()
        for name, route in addresses(get_resolver().url_patterns):
            writes = Writes()
            with subtests.test(f"{name} {route}"), undone(), connection.execute_wrapper(writes):
                check(Address(name, route, rows, sessions, before))
                assert not writes.statements or written() == before

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


@contextmanager
def undone():
    """Leave nothing behind in the database, the cache or the thread's language."""
    cache.clear()
    with translation.override("en"), transaction.atomic():
        yield
        transaction.set_rollback(True)


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
        if parameter == "token":
            is_feeds = route.startswith("calendars/")
            return (
                feeds.token_of(row) if is_feeds else unsubscribe_url(rows["member"]).split("/")[-2]
            )
        return str(row.code if parameter == "code" else row.pk)

    return "/" + PARAMETER.sub(value, route).translate({ord("^"): None, ord("$"): None})


def written():
    """Return all our rows; sessions and counts of tries may change."""
    ours = {"accounts", "spaces", "bookings", "notifications", "auth", "admin"}
    return {
        model._meta.label: sorted(map(repr, model.objects.values_list()))
        for model in apps.get_models()
        if model._meta.app_label in ours and model is not Tally
    }


@at_every_address
def test_every_url_leads_somewhere(here):
    """Without this, the tests below might be testing nothing but "not found"."""
    answer = here.come().get(here.path)
    expected = {REFUSED[here.name]} if here.name in REFUSED else {200, 302}
    if (here.name, here.route.count("/")) == ("admin:", 4):  # a row's short URL
        expected = {302}
    assert answer.status_code in expected


@at_every_address
def test_a_broken_path(here):
    path, insider = here.path, here.come()
    paths = [f"{path}%00", f"{path}%ff/", f"/{path}", f"{path}%0d%0aa:b/", f"{path}%5c"]
    if PARAMETER.search(here.route):
        paths += [path_of(here.route, here.rows, garbage) for garbage in GARBAGE]
    # What leads to no view is answered alike everywhere.
    *elsewhere, nowhere = sorted(paths, key=is_nowhere)
    for broken in [each for each in elsewhere if not is_nowhere(each)] + [nowhere]:
        answer = insider.get(broken)
        assert answer.status_code in CLEAR, broken
        assert re.match("/(?!/)", answer.get("Location", "/")), broken


def is_nowhere(path):
    return not any(is_valid_path(unquote(path) + end) for end in ("", "/"))


@at_every_address
def test_a_wrong_method(here):
    path, insider, visitor = here.path, here.come(), here.come("visitor")
    known = insider.generic("BREW", path).get("Allow", "").split(", ")
    for method in {"PUT", "DELETE", "PATCH", "TRACE", "BREW"}.difference(known):
        assert insider.generic(method, path).status_code in {404, 405}, method
        assert visitor.generic(method, path).status_code in {302, 404, 405}, method


@at_every_address
def test_a_broken_body(here):
    people = ["visitor"] if PRESSED.search(here.name) else ["visitor", here.insider]
    for who in people:
        someone = here.come(who)
        for content_type, body in BODIES:
            with looks() as seen:
                answer = someone.generic("POST", here.path, body, content_type)
            assert answer.status_code in CLEAR, (who, content_type, body)
            if "body" not in seen:  # the answer is there before, whatever it says
                break


@at_every_address
def test_broken_headers(here):
    insider = here.come()
    for headers in HEADERS:
        answer = insider.get(here.path, **headers)
        assert answer.status_code in CLEAR, headers
        if answer.status_code != 302 and not here.route.endswith("jsi18n/"):
            is_asked_again = answer.status_code == 200 and here.route.startswith(
                ("api/", "calendars/")
            )
            directive = "no-cache" if is_asked_again else "no-store"
            assert directive in answer["Cache-Control"] or "password_change" in here.name
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@at_every_address
def test_a_form_of_another_site(here):
    if here.name in OPEN:
        return
    answer = here.come(enforce_csrf_checks=True).post(here.path, {"language": "ru"})
    asks_for_a_password = here.name in {"api:create_token", "api:create_account"}
    assert answer.status_code in ({400} if asks_for_a_password else {403, 404, 405})


@at_every_address
def test_visitors_and_staff_of_another_space_see_and_change_nothing(here):
    path, stranger = here.path, here.come("stranger")
    for someone in (here.come("visitor"), stranger):
        assert "alice" not in someone.get(path).text
        if here.name not in OPEN and (not PRESSED.search(here.name) or "<" in here.route):
            assert "alice" not in someone.post(path, {"post": "yes", "name": "Mine"}).text
    if here.name.startswith("admin:") and "<" in here.route and "app_label" not in here.route:
        assert stranger.get(path).status_code in {302, 403, 404}


@at_every_address
def test_garbage_in_every_field(here):
    """All at once; once including those that say how many rows a form has."""
    for who in {"visitor", here.insider}:
        page = here.come(who).get(here.path)
        if PRESSED.search(here.name) or not page.get("Content-Type", "").startswith("text/html"):
            continue
        for action, fields in filter(itemgetter(1), PostedForms(page.text).found):
            with undone():
                fill_with_garbage(here, who, action or here.path, fields)


def fill_with_garbage(here, who, action, fields):
    someone = here.come(who)
    for garbage in TYPED:
        kept = "_FORMS" if garbage != "-1" else "no field"
        sent = [(k, v if k.endswith(kept) else garbage) for k, v in fields]
        answer = someone.post(action, _as_lists(sent))
        assert answer.status_code in CLEAR | {429}, (who, action, garbage)
        assert "<script>alert" not in answer.text
        if garbage == "\x00":
            assert written() == here.before
        if answer.status_code == 302:  # it wasn't garbage here, and perhaps signed us out
            break


def _as_lists(fields):
    return {name: [v for n, v in fields if n == name] for name, _ in fields}


def test_the_pages_have_forms_to_try(sessions):
    """The form parser above finds what people fill in."""
    (register, _), *_ = [
        (dict(fields), action)
        for action, fields in PostedForms(
            browser(sessions, "visitor").get("/accounts/register/").text
        ).found
    ]
    assert {"username", "password1", "email"} <= register.keys()
    board = PostedForms(browser(sessions, "member").get("/spaces/loft/").text).found
    assert {"place", "starts_at", "ends_at", "request_key"} <= dict(board[0][1]).keys()
