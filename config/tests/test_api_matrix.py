"""Who may do what by API: every operation for everybody, with the expected status."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.factories import PASSWORD, StaffRoleFactory, UserFactory
from accounts.models import ApiToken, User
from bookings.deciding import services
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.tests.acts import undone
from bookings.tests.programs import Program, program, token, wish
from config.api import api
from spaces.factories import PolicyFactory, open_space
from spaces.models import Place, Space
from spaces.slots import floor

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

CSRF = "a" * 32  # Django takes a plain secret for its own masked token

# The booking is alice's, at Loft. She is `member`, and behind expired, revoked, reader (a token
# that may only read), session (with its CSRF token) and forged (without); `abroad` is host of
# another space, `boss` a superuser, `closed` a closed account whose token was never revoked.
# A batch that is accepted counts as the status of its one item.
MATRIX = """
                           nobody member other abroad host manager boss expired revoked reader session forged closed
createToken                   201    201   201    201  201     201  201     201     201    201     201    201    201
createToken as closed         401    401   401    401  401     401  401     401     401    401     401    401    401
createAccount                 201    201   201    201  201     201  201     201     201    201     201    201    201
createAccount of alice        409    409   409    409  409     409  409     409     409    409     409    409    409
listSpaces                    200    200   200    200  200     200  200     401     401    200     200    200    401
getSpace                      200    200   200    200  200     200  200     401     401    200     200    200    401
getSpace hidden               404    404   404    404  404     404  404     401     401    404     404    404    401
getAvailability               200    200   200    200  200     200  200     401     401    200     200    200    401
getAvailability hidden        404    404   404    404  404     404  404     401     401    404     404    404    401
createBooking                 401    201   201    201  201     201  201     401     401    403     201    403    401
createBooking for bob         401    403   201    403  201     201  201     401     401    403     403    403    401
createBooking for guest       401    403   403    403  201     201  201     401     401    403     403    403    401
createBookings                401    202   202    202  202     202  202     401     401    403     202    403    401
createBookings for bob        401    403   202    403  202     202  202     401     401    403     403    403    401
createBookings for guest      401    403   403    403  202     202  202     401     401    403     403    403    401
listBookings                  401    200   200    200  200     200  200     401     401    200     200    200    401
getBooking                    401    200   404    404  200     200  200     401     401    200     200    200    401
getBooking unknown            401    404   404    404  404     404  404     401     401    404     404    404    401
rescheduleBooking             401    200   404    404  200     200  200     401     401    403     200    403    401
rescheduleBooking late        401    422   404    404  200     200  200     401     401    403     422    403    401
rescheduleBooking note late   401    200   404    404  200     200  200     401     401    403     200    403    401
rescheduleBooking of guest    401    404   404    404  200     200  200     401     401    403     404    403    401
cancelBooking                 401    200   404    404  200     200  200     401     401    403     200    403    401
cancelBooking late            401    422   404    404  200     200  200     401     401    403     422    403    401
recordVisit                   401    200   404    404  200     200  200     401     401    403     200    403    401
recordVisit seat              401    403   404    404  200     200  200     401     401    403     403    403    401
recordVisit leave             401    403   404    404  200     200  200     401     401    403     403    403    401
recordVisit no_show           401    403   404    404  200     200  200     401     401    403     403    403    401
recordVisit extend            401    403   404    404  200     200  200     401     401    403     403    403    401
recordVisit undo              401    403   404    404  409     409  409     401     401    403     403    403    401
listEvents                    401    200   200    200  200     200  200     401     401    200     200    200    401
"""  # noqa: E501 - a table

HEAD, *LINES = MATRIX.strip("\n").splitlines()
ACTORS = HEAD.split()
ROWS = {
    line[:27].strip(): dict(zip(ACTORS, map(int, line[27:].split()), strict=True)) for line in LINES
}


@pytest.fixture
def people(alice: User, bob: User, host: User, manager: User) -> dict[str, Program]:
    """Everybody in the matrix, each with their own program."""
    away = StaffRoleFactory.create(space=open_space(slug="away", places=1)).user
    expired = Program(Client(), authorization=f"Bearer {token(alice, days=-1)}")
    revoked = program(alice)
    ApiToken.objects.latest("pk").delete()
    closed = UserFactory.create(username="closed")
    with_token = program(closed)
    closed.is_active = False
    closed.save()
    return {
        "nobody": program(None),
        "member": program(alice),
        "other": program(bob),
        "abroad": program(away),
        "host": program(host),
        "manager": program(manager),
        "boss": program(UserFactory.create(username="boss", is_superuser=True)),
        "expired": expired,
        "revoked": revoked,
        "reader": program(alice, ApiToken.Scope.READ),
        "session": Program(browser(alice), x_csrftoken=CSRF),
        "forged": Program(browser(alice)),
        "closed": with_token,
    }


def browser(user: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="config.auth.Backend")
    client.cookies["csrftoken"] = CSRF
    return client


@dataclass
class Stage:
    """What a request needs; every actor has a separate day, so that nobody is in the way."""

    desk: Place
    owner: User
    at: datetime

    def booking(self) -> Booking:
        return services.book(
            Wish(
                place=self.desk,
                member=self.owner,
                starts_at=self.at,
                ends_at=self.at + timedelta(hours=1),
                party_size=1,
            ),
            by=self.owner,
            now=timezone.now(),
        )

    def guests(self) -> str:
        boss = User.objects.get(username="boss")
        times = {"starts_at": self.at, "ends_at": self.at + timedelta(hours=1)}
        asked = Wish(place=self.desk, member=None, guest_name="Ivan", **times)
        return f"/bookings/{services.book(asked, by=boss, now=timezone.now()).code}"

    def address(self) -> str:
        return f"/bookings/{self.booking().code}"

    def begun(self) -> str:
        """Return the address of a booking whose people may come: whatever the clock says."""
        booking, begins = self.booking(), floor(timezone.now())
        booking.booked_slots.all().delete()
        Booking.objects.filter(pk=booking.pk).update(
            starts_at=begins, ends_at=begins + timedelta(hours=1)
        )
        return f"/bookings/{booking.code}"

    def wish(self, **more: str) -> dict[str, object]:
        return wish(self.desk, self.at, **more)

    def later(self) -> dict[str, object]:
        found = wish(self.desk, self.at + timedelta(hours=3))
        return {name: found[name] for name in ("starts_at", "ends_at")}

    def time(self) -> dict[str, object]:
        return {name: str(self.wish()[name]) for name in ("starts_at", "ends_at")}


def sign_in(login: str) -> dict[str, str]:
    return {"username": login, "password": PASSWORD}


type Ask = Callable[[Program, Stage], HttpResponse]

UNKNOWN = "/bookings/00000000-0000-0000-0000-000000000000"
ASK: dict[str, Ask] = {
    "createToken": lambda who, _: who.post("/auth/token", sign_in("alice")),
    "createToken as closed": lambda who, _: who.post("/auth/token", sign_in("closed")),
    "createAccount": lambda who, s: who.post("/accounts", sign_in(f"new{s.at.day}")),
    "createAccount of alice": lambda who, _: who.post("/accounts", sign_in("alice")),
    "listSpaces": lambda who, _: who.get("/spaces"),
    "getSpace": lambda who, _: who.get("/spaces/loft"),
    "getSpace hidden": lambda who, _: who.get("/spaces/hidden"),
    "getAvailability": lambda who, s: who.get("/spaces/loft/availability", s.time()),
    "getAvailability hidden": lambda who, s: who.get("/spaces/hidden/availability", s.time()),
    "createBooking": lambda who, s: who.post("/bookings", s.wish()),
    "createBooking for bob": lambda who, s: who.post("/bookings", s.wish(member="bob")),
    "createBooking for guest": lambda who, s: who.post("/bookings", s.wish(guest_name="Ivan")),
    "createBookings": lambda who, s: batch(who, s.wish()),
    "createBookings for bob": lambda who, s: batch(who, s.wish(member="bob")),
    "createBookings for guest": lambda who, s: batch(who, s.wish(guest_name="Ivan")),
    "listBookings": lambda who, _: who.get("/bookings"),
    "getBooking": lambda who, s: who.get(s.address()),
    "getBooking unknown": lambda who, _: who.get(UNKNOWN),
    "rescheduleBooking": lambda who, s: who.patch(s.address(), s.later()),
    "rescheduleBooking late": lambda who, s: who.patch(s.address(), s.later()),
    "rescheduleBooking note late": lambda who, s: who.patch(s.address(), {"note": "Late"}),
    "rescheduleBooking of guest": lambda who, s: who.patch(s.guests(), {"guest_name": "Olga"}),
    "cancelBooking": lambda who, s: who.delete(s.address()),
    "cancelBooking late": lambda who, s: who.delete(s.address()),
    "recordVisit": lambda who, s: visit(who, s, "check_in"),
    "recordVisit seat": lambda who, s: visit(who, s, "seat"),
    "recordVisit leave": lambda who, s: visit(who, s, "leave"),
    "recordVisit no_show": lambda who, s: visit(who, s, "no_show"),
    "recordVisit extend": lambda who, s: visit(who, s, "extend", ends_at=s.later()["ends_at"]),
    "recordVisit undo": lambda who, s: visit(who, s, "undo", event=1),
    "listEvents": lambda who, _: who.get("/events"),
}


def visit(who: Program, stage: "Stage", verb: str, **more: object) -> HttpResponse:
    address = stage.address() if more else stage.begun()
    return who.post(f"{address}/visit", {"verb": verb, **more})


def batch(who: Program, item: dict[str, object]) -> HttpResponse:
    return who.post("/bookings/batch", {"bookings": [item]})


def status(answer: HttpResponse) -> int:
    content = answer.json()
    return content["results"][0]["status"] if "results" in content else answer.status_code


def test_everybody_gets_the_expected_status(people, desk, alice, soon, settings, subtests):
    settings.AXES_FAILURE_LIMIT = 100  # the lockout is tested elsewhere
    open_space(slug="hidden", is_active=False)
    for row, expected in ROWS.items():
        cache.clear()
        with subtests.test(row), undone():
            if row.endswith(" late"):
                PolicyFactory.create(
                    space=desk.space, cancel_deadline_minutes=60 * 24 * 60, grace_minutes=0
                )
            if row == "recordVisit":
                PolicyFactory.create(space=desk.space, check_in_opens_minutes=15)
            found = {
                name: status(ASK[row](people[name], Stage(desk, alice, soon + timedelta(days=day))))
                for day, name in enumerate(ACTORS)
            }
            assert found == expected


def test_every_operation_is_in_the_table():
    operations = {
        operation["operationId"]
        for path in api.get_openapi_schema()["paths"].values()
        for operation in path.values()
    }
    assert {row.split()[0] for row in ROWS} == operations


SEEN = {
    "member": ["alice at loft", "alice at away"],
    "reader": ["alice at loft", "alice at away"],
    "session": ["alice at loft", "alice at away"],
    "other": ["bob at loft"],
    "abroad": ["alice at away"],
    "host": ["alice at loft", "bob at loft", "guest at loft"],
    "manager": ["alice at loft", "bob at loft", "guest at loft"],
    "boss": ["alice at loft", "alice at away", "bob at loft", "guest at loft"],
}


def test_lists_show_everybody_what_they_may_see(people, space, host, alice, bob, soon, subtests):
    one, two, three = space.places.by_number()
    away = Space.objects.get(slug="away").places.get()
    for place, member in [(one, alice), (away, alice), (two, bob), (three, None)]:
        services.book(
            Wish(
                place=place,
                member=member,
                guest_name="" if member else "Ivan",
                starts_at=soon,
                ends_at=soon + timedelta(hours=1),
                party_size=1,
            ),
            by=member or host,
            now=timezone.now(),
        )
    for who, seen in SEEN.items():
        with subtests.test(who):
            items = people[who].get("/bookings", {"sort": "-created_at"}).json()["items"]
            shown = [f"{item['member'] or 'guest'} at {item['place']['space']}" for item in items]
            assert shown == list(reversed(seen))
            events = [each["booking"] for each in people[who].get("/events").json()["items"]]
            assert [each["code"] for each in events] == [each["code"] for each in reversed(items)]
