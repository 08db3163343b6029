"""Ten minutes after signing in, what matters asks again who it is, and keeps what was sent."""

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.factories import PASSWORD, UserFactory
from accounts.sure import ASKING
from config.tests.posted import sent
from config.tests.stage import NOON, Venue, sessions
from config.tests.test_page_matrix import ROUTES, path
from config.tests.walk import browser, undone

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: By row of the matrix.
ASKED = {
    "POST tokens",
    "POST factor_app",
    "POST factor_app_remove",
    "POST factor_codes",
    "POST passkey_add",
    "POST passkey_remove",
    "POST oidc_link",
    "POST oidc_unlink",
    "POST staff_people of a manager",
    "POST staff_role",
    "POST staff_guest_erase",
    "POST webhooks",
    "POST webhook_secret",
}
#: Downloads, which are asked for by a link, and their views.
TAKEN_ALONG = {
    "GET my_data": "my_data",
    "GET my_data_calendar": "my_data_calendar",
    "GET staff_guest_json": "staff_guest_data",
}
IN_ADMIN = ["user/add/", "user/{pk}/change/", "user/{pk}/password/", "user/leave/"]
#: Only for a manager: see the table.
MORE = {"POST staff_people of a manager": {"email": "vera@example.org", "role": "MANAGER"}}


@pytest.fixture
def boss(db, clock):
    clock.now = NOON
    loft = Venue("Loft", UserFactory.create(username="alice"), NOON)
    away = Venue("Away", UserFactory.create(username="carol"), NOON)
    return loft, sessions(loft, away)


def test_it_asks_again_and_keeps_what_was_sent(boss, clock, subtests):
    loft, people = boss
    clock.passes(minutes=11)
    for row in sorted(ASKED):
        with subtests.test(row), undone():
            name = row.split()[1]
            who = "member" if ROUTES[name].startswith("accounts/") else "boss"
            there = path(row, loft)
            client = browser(people, who)
            fields = MORE.get(row) or sent(row, loft) or {"note": "kept"}
            page = client.post(there, fields)
            assert page["Location"].startswith("/accounts/sure/?next=")
            client.post(page["Location"], {"password": PASSWORD, "next": there})
            shown = client.get(there, follow=True)
            assert shown.redirect_chain[0][0].startswith("/accounts/again/")
            for field in fields:
                assert f'name="{field}"' in shown.text
            assert "/accounts/sure/" not in client.post(there, fields).get("Location", "")


def test_whoever_takes_data_along_is_asked_again(boss, clock, subtests):
    loft, people = boss
    clients = {who: browser(people, who) for who in ("member", "boss")}
    clock.passes(minutes=11)
    for row in sorted(TAKEN_ALONG):
        with subtests.test(row):
            client = clients["member" if "my_" in row else "boss"]
            there = path(row, loft)
            page = client.get(there)
            assert page["Location"].startswith("/accounts/sure/?next=")
            asked = {"password": PASSWORD, "next": there}
            page = client.post(page["Location"], asked)
            assert f'content="0; url={there}"' in page.text  # a page to stay on
            assert client.get(there)["Content-Disposition"].startswith("attachment")
            clock.passes(minutes=11)


def test_a_host_is_invited_without_asking(boss, clock):
    loft, people = boss
    clock.passes(minutes=11)
    there = path("POST staff_people", loft)
    page = browser(people, "boss").post(there, {"email": "vera@example.org", "role": "HOST"})
    assert page["Location"] == there


def test_the_admin_asks_before_anybody_gets_rights(boss, clock):
    loft, people = boss
    clock.passes(minutes=11)
    for page in IN_ADMIN:
        there = f"/admin/accounts/{page.format(pk=loft.member.pk)}"
        answer = browser(people, "boss").post(there, {"username": "x"})
        assert answer["Location"].startswith("/accounts/sure/"), there


def test_every_view_that_asks_is_tried():
    assert get_resolver().url_patterns
    views = {name.rpartition(".")[2] for name in ASKING}
    of_admin = {"changeform_view", "user_change_password", "leave_view"}
    of_admin |= {"dummy"}  # by which Django learns what a decorator of methods does
    without_a_password = {
        "email",
        "leave",
        "password",
    }  # the others type it on the page: see test_oidc
    assert views - of_admin - without_a_password == {
        *(row.split()[1] for row in ASKED),
        *TAKEN_ALONG.values(),
    }


def test_visitors_sign_in_first():
    assert Client().post("/accounts/tokens/", {})["Location"].startswith("/accounts/login/")
