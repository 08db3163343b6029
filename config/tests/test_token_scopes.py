"""What a token may do, and where: at every operation, which names what is missing.

The rows are those of `test_api_matrix`, so a new operation is tried too.
"""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.factories import PASSWORD, StaffRoleFactory, UserFactory
from bookings.tests.acts import undone
from bookings.tests.programs import Program, token
from config.tests.test_api_matrix import ASK, Stage
from spaces.factories import PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: Open to visitors, who need no token.
OPEN = {"createToken", "createAccount"}
LISTS = {"listSpaces", "listBookings", "listEvents"}
#: What is not there, or not shown, at whatever address.
MISSING = {"getSpace hidden", "getAvailability hidden", "getBooking unknown"}
READ = {*LISTS, "getSpace", "getAvailability", "getBooking"}
#: What a member can do for themselves.
FOR_ONESELF = {"createBooking", "createBookings"}


@pytest.fixture
def programs(space, desk, alice, bob):
    """One person who manages both spaces, with four tokens."""
    away = open_space(slug="away", places=1)
    both = StaffRoleFactory.create(user__username="both", space=space, role="MANAGER").user
    StaffRoleFactory.create(user=both, space=away, role="MANAGER")
    UserFactory.create(username="boss", is_superuser=True)
    UserFactory.create(username="closed", is_active=False)
    limits = {
        "reader": {"scope": "READ"},
        "booker": {"scope": "BOOK"},
        "here": {"space": space},
        "elsewhere": {"space": away},
    }
    return {
        who: Program(Client(), authorization=f"Bearer {token(both, **limit)}")
        for who, limit in limits.items()
    }


def lacking(row, who):
    """Return what a token lacks for a row; None for nothing."""
    operation = row.split()[0]
    if operation in OPEN or who == "here":
        return None
    if who == "elsewhere":
        return None if operation in LISTS or row in MISSING else "space:loft"
    if operation in READ:
        return None
    if who == "reader":
        return "book"
    return None if row in FOR_ONESELF else "manage"


def problem(answer):
    content = answer.json()
    return content["results"][0]["problem"] or {} if "results" in content else content


@pytest.mark.parametrize("who", ["reader", "booker", "here", "elsewhere"])
def test_every_operation_asks_the_token(
    who, programs, space, desk, alice, soon, settings, subtests
):
    settings.AXES_FAILURE_LIMIT = 100
    open_space(slug="hidden", is_active=False)
    PolicyFactory.create(space=space, check_in_opens_minutes=15)
    for day, row in enumerate(ASK):
        cache.clear()
        with subtests.test(row), undone():
            stage = Stage(desk, alice, soon + timedelta(days=day % 20))
            answer = ASK[row](programs[who], stage)
            found = problem(answer)
            lacks = lacking(row, who)
            assert found.get("missing_scope") == lacks
            if lacks is not None:
                assert found["status"] == 403
                assert found["code"] in {"missing_scope", "read_only_token"}
                assert lacks in found["detail"]


def test_lists_only_have_what_is_in_the_tokens_space(programs, desk, alice, soon):
    Stage(desk, alice, soon).booking()
    for path in ("/spaces", "/bookings", "/events"):
        assert programs["here"].get(path).json()["items"] != []
        assert "loft" not in programs["elsewhere"].get(path).text
    assert [each["slug"] for each in programs["elsewhere"].get("/spaces").json()["items"]] == [
        "away"
    ]


def test_nothing_is_moved_out_of_the_tokens_space(programs, desk, alice, soon):
    away = open_space(slug="third", places=1).places.get()
    address = Stage(desk, alice, soon).address()
    refused = programs["here"].patch(address, {"place": str(away.code)})
    assert (refused.status_code, refused.json()["missing_scope"]) == (403, "space:third")


def test_a_token_is_made_for_one_space(client, alice, space, soon, desk):
    client.force_login(alice)
    fields = {"name": "Door", "scope": "BOOK", "lifetime": "90", "space": "loft"}
    fields["request_key"] = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"
    assert client.post("/accounts/tokens/", fields | {"space": "nowhere"}).status_code == 422
    assert client.post("/accounts/tokens/", fields).status_code == 201
    made = alice.api_tokens.get()
    assert (made.scope, made.space) == ("BOOK", space)
    assert f"only in {space}" in client.get("/accounts/tokens/").text


def test_a_program_asks_for_less_too(client, alice, space):
    wish = {"username": "alice", "password": PASSWORD, "scope": "BOOK", "space": "loft"}
    program = Program(client)
    answer = program.post("/auth/token", wish)
    assert (answer.status_code, answer.json()["space"]) == (201, "loft")
    refused = program.post("/auth/token", wish | {"space": "nowhere"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.space")


def test_a_key_of_another_token_shows_nothing_of_other_spaces(space, desk, manager, soon):
    away = open_space(slug="away", places=1)
    StaffRoleFactory.create(user=manager, space=away, role="MANAGER")
    wish = Stage(desk, manager, soon).wish()
    whole, limited = (
        Program(Client(), authorization=f"Bearer {token(manager, **limit)}")
        for limit in ({}, {"space": away})
    )
    assert whole.post("/bookings", wish, idempotency_key="one").status_code == 201
    refused = limited.post("/bookings", wish, idempotency_key="one")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
