"""Every kind of problem and every rule's code, provoked by a real request."""

from datetime import time, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from accounts.api.problems import KINDS
from accounts.factories import PASSWORD, UserFactory
from accounts.models import ApiToken, IdempotencyKey
from accounts.tests.programs import issue
from accounts.tests.second_factor import app_of
from accounts.tokens import MOST
from bookings.deciding import leaving, services
from bookings.deciding.queueing import ATTEMPTS, decide_next
from bookings.deciding.rules import REASONS
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.tests.programs import Program, codes, kind, program, token, wish
from config.api import api
from spaces.factories import ClosureFactory, PolicyFactory, ShiftFactory, open_space
from spaces.models import Place

pytestmark = pytest.mark.django_db

SIGN_IN = {"username": "alice", "password": PASSWORD}
NOTHING = "00000000-0000-0000-0000-000000000000"


class Stage:
    """Alice, her program, a desk at ten, and ways to go wrong with them."""

    def __init__(self, alice, bob, space, desk, soon, settings):
        self.alice, self.bob = alice, bob
        self.space, self.desk, self.soon = space, desk, soon
        self.settings = settings
        self.hers, self.bobs = program(alice), program(bob)

    def policy(self, **limits):
        PolicyFactory.create(space=self.space, **limits)

    def book(self, length=1, after=0, asking=None, **more):
        """Request the desk this many hours after ten."""
        headers = {name: more.pop(name) for name in ("prefer", "idempotency_key") if name in more}
        body = wish(self.desk, self.soon + hours(after), length, **more)
        return (asking or self.hers).post("/bookings", body, **headers)

    def booked(self, **kwargs):
        """Return the address of a booking."""
        return "/bookings/" + self.book(**kwargs).json()["code"]

    def decided(self, queued):
        """Return a queued booking after its decision."""
        decide_next(now=timezone.now())
        return self.hers.get(f"/bookings/{queued.json()['code']}")


@pytest.fixture
def stage(alice, bob, space, desk, soon, settings):
    return Stage(alice, bob, space, desk, soon, settings)


def wrong_password(s):
    return s.hers.post("/auth/token", {**SIGN_IN, "password": "wrong"})


def passcode_needed(s):
    app_of(s.alice)
    return s.hers.post("/auth/token", SIGN_IN)


def second_factor_required(s):
    s.settings.SECOND_FACTOR_REQUIRED_OF = "everybody"
    return s.hers.post("/auth/token", SIGN_IN)


def missing_scope(s):
    elsewhere = token(s.bob, space=open_space(slug="third"))
    return s.book(asking=Program(Client(), authorization=f"Bearer {elsewhere}"))


def csrf_failed(s):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(s.alice, backend="config.auth.Backend")
    return s.book(asking=Program(browser))


def still_running(s):
    s.book(idempotency_key="k")
    IdempotencyKey.objects.update(status=None)
    return s.book(idempotency_key="k")


def key_reused(s):
    s.book(idempotency_key="k")
    return s.book(idempotency_key="k", note="other")


def too_many_tokens(s):
    for _ in range(MOST - 1):  # plus the one that asks
        issue(s.alice)
    return s.hers.post("/auth/token", SIGN_IN)


def too_many_requests(s):
    s.settings.API_RATES = {**s.settings.API_RATES, "token": 1}
    s.hers.get("/bookings")
    return s.hers.get("/bookings")


def login_locked(s):
    for _ in range(s.settings.AXES_FAILURE_LIMIT):
        wrong_password(s)
    return s.hers.post("/auth/token", SIGN_IN)


def broken(s):
    """A closure written by hand in the database, past every check."""
    break_setup(s.space)
    s.hers.client.raise_request_exception = False
    return s.hers.get("/spaces/loft")


def break_setup(space):
    closure = ClosureFactory.create(space=space)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE spaces_closure SET ends_at = 'infinity' WHERE id = %s", [closure.pk])


def unavailable(s):
    def is_down(*_):
        raise OperationalError("server closed the connection unexpectedly")

    s.hers.client.raise_request_exception = False
    with connection.execute_wrapper(is_down):
        return s.hers.get("/bookings")


def refused(s):
    return s.book(after=-5)


def taken(s):
    s.book(asking=s.bobs)
    return s.book()


def wrong_state(s):
    booking = s.booked()
    s.hers.delete(booking)
    return s.hers.delete(booking)


def too_late(s):
    booking = s.booked()
    s.policy(cancel_deadline_minutes=60 * 24 * 7, grace_minutes=0)
    return s.hers.delete(booking)


PROVOKED = {
    "malformed": lambda s: s.hers.send_raw("POST", "/bookings", b"{"),
    "invalid": lambda s: s.hers.get("/bookings?limit=0"),
    "unauthenticated": lambda s: program(None).get("/bookings"),
    "wrong_credentials": wrong_password,
    "passcode_needed": passcode_needed,
    "second_factor_required": second_factor_required,
    "csrf_failed": csrf_failed,
    "read_only_token": lambda s: s.book(asking=program(s.alice, ApiToken.Scope.READ)),
    "missing_scope": missing_scope,
    "forbidden": lambda s: s.book(member="bob"),
    "not_found": lambda s: s.hers.get("/spaces/nowhere"),
    "method_not_allowed": lambda s: s.hers.delete("/bookings"),
    "too_large": lambda s: s.hers.send_raw("POST", "/bookings", b" " * 3_000_000),
    "still_running": still_running,
    "idempotency_key_reused": key_reused,
    "login_taken": lambda s: s.hers.post("/accounts", SIGN_IN),
    "login_looks_taken": lambda s: s.hers.post("/accounts", {**SIGN_IN, "username": "a1ice"}),
    "login_mixes_scripts": lambda s: s.hers.post("/accounts", {**SIGN_IN, "username": "mеmber"}),
    "too_many_tokens": too_many_tokens,
    "too_many_requests": too_many_requests,
    "login_locked": login_locked,
    "server_error": broken,
    "unavailable": unavailable,
    "slot_taken": taken,
    "refused": refused,
    "wrong_state": wrong_state,
    "too_late": too_late,
}


def test_every_kind_is_provoked():
    assert api  # all apps have registered theirs
    assert PROVOKED.keys() == KINDS.keys()


@pytest.mark.parametrize("code", PROVOKED)
def test_a_problem_has_its_kind(stage, code):
    answer = PROVOKED[code](stage)
    assert kind(answer) == (KINDS[code].status, code)
    assert answer["Cache-Control"] == "no-store"
    waits = {"still_running", "too_many_requests", "login_locked", "unavailable"}
    assert answer.has_header("Retry-After") == (code in waits)
    assert answer.has_header("WWW-Authenticate") == (answer.status_code == 401)


def broken_rule(**limits):
    """Return a function that books for two hours under a policy."""

    def ask(s):
        s.policy(**limits)
        return s.book(length=2)

    return ask


def not_bookable(s):
    s.desk.is_bookable = False
    s.desk.save()
    return s.book()


def for_larger_parties(s):
    Place.objects.filter(pk=s.desk.pk).update(capacity=4, min_party=2)
    return s.book()


def in_a_shift(**limits):
    """Return a function that books under a shift."""

    def ask(s):
        ShiftFactory.create(space=s.space, last_seating=time(20), **limits)
        return s.book()

    return ask


def too_many_upcoming(s):
    s.policy(max_upcoming=1)
    s.book()
    return s.book(after=2)


def too_many_hours(s):
    s.policy(max_minutes_per_day=60)
    s.book()
    return s.book(after=2)


def too_many_no_shows(s):
    s.policy(max_no_shows=1, no_show_days=30)
    missed = book(s.desk, s.alice, s.soon - hours(480), s.soon - hours(240))
    Booking.objects.filter(pk=missed.pk).update(state=State.NO_SHOW)
    return s.book(after=2)


def too_many_undecided(s):
    times = {"starts_at": s.soon, "ends_at": s.soon + hours(1), "created_at": s.soon}
    waiting = range(services.MOST_UNDECIDED)
    Booking.objects.bulk_create(Booking(place=s.desk, member=s.alice, **times) for _ in waiting)
    return s.book(prefer="respond-async")


def other_space(s):
    elsewhere = open_space(slug="other", places=1).places.get()
    return s.hers.patch(s.booked(), {"place": str(elsewhere.code)})


def slot_taken(s):
    s.book(asking=s.bobs)
    return s.decided(s.book(prefer="respond-async"))


def account_closed(s):
    """Someone deleted while waiting is not booked; the superuser sees it."""
    queued = s.book(prefer="respond-async")
    leaving.leave(s.alice, by=s.alice, now=timezone.now())
    s.hers = program(UserFactory.create(is_superuser=True))
    return s.decided(queued)


def undecidable(s):
    queued = s.book(prefer="respond-async")
    break_setup(s.space)
    for attempt in range(ATTEMPTS):
        with pytest.raises(ValueError, match="infinity"):
            decide_next(now=timezone.now() + attempt * timedelta(minutes=2))
    decide_next(now=timezone.now() + ATTEMPTS * timedelta(minutes=2))
    s.space.closures.all().delete()
    return s.hers.get(f"/bookings/{queued.json()['code']}")


BROKEN = {
    "ends_before_start": lambda s: s.book(length=-1),
    "off_grid": lambda s: s.book(after=0.1),
    "in_the_past": lambda s: s.book(after=-24 * 7),
    "too_far_ahead": lambda s: s.book(after=24 * 200),
    "too_soon": broken_rule(min_notice_minutes=60 * 24 * 7),
    "too_short": broken_rule(min_minutes=180),
    "too_long": broken_rule(max_minutes=60),
    "off_step": lambda s: s.book(after=0.25),
    "closed": lambda s: s.book(after=-5),
    "not_bookable": not_bookable,
    "party_too_small_for_place": for_larger_parties,
    "no_seating": in_a_shift(first_seating=time(18)),
    "pacing_full": in_a_shift(first_seating=time(8), covers_online=0),
    "party_too_large": lambda s: s.book(party_size=2),
    "too_many_upcoming": too_many_upcoming,
    "too_many_hours": too_many_hours,
    "too_many_no_shows": too_many_no_shows,
    "too_many_undecided": too_many_undecided,
    "slot_taken": slot_taken,
    "other_space": other_space,
    "account_closed": account_closed,
    "undecidable": undecidable,
}

#: What the API says differently, or only pages and imports can run into.
NOT_BY_API = {
    "party_too_small",  # `invalid`, like everything below the schema's minimum
    "no_such_place",  # `invalid`
    "no_such_member",  # `invalid`
    "not_staff",  # `forbidden`
    "features_missing",  # imports
    "guests_not_allowed",  # guests' own page, like the next one
    "contact_missing",
    "not_longer",  # the staff's verbs
    "zone_moved",  # events, like the next two: the set-up changed
    "parts_changed",
    "parts_taken",
    "invalid",  # imports; here it is the problem's own code
    "request_key_reused",  # `idempotency_key_reused`
    "wrong_state",  # the problem's own code
    "too_late",  # the problem's own code
}


def test_every_rule_is_broken():
    assert BROKEN.keys() | NOT_BY_API == REASONS.keys()
    assert not BROKEN.keys() & NOT_BY_API


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_rule_has_its_code(stage, code):
    answer = BROKEN[code](stage)
    if answer.status_code == 200:  # a queued one, decided since
        assert (answer.json()["state"], answer.json()["problems"]) == ("REJECTED", [code])
    else:
        assert kind(answer) == (422, "refused")
        assert codes(answer) == [code]
