"""Where the site asks for a second factor, who has none reaches nothing but setting one up."""

import pytest
from django.test import Client

from accounts.second.gate import OPEN
from accounts.tests.programs import issue, program
from accounts.tests.second_factor import app_of
from config.tests.walk import (
    browser,
    every_address,
    rows,  # noqa: F401 - a fixture
    sessions,  # noqa: F401 - a fixture
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: Whom the site asks, by what the setting says: everywhere, or in the admin only.
ASKED = {
    "": {},
    "managers": {"boss": "/", "stranger": "/", "host": "/admin/"},
    "staff": {"boss": "/", "stranger": "/", "host": "/"},
    "everybody": {"boss": "/", "stranger": "/", "host": "/", "member": "/"},
}


def test_at_every_address(rows, sessions, settings, subtests):  # noqa: F811 - fixtures
    settings.SECOND_FACTOR_REQUIRED_OF = "managers"
    tried = 0
    for here in every_address(rows, sessions):
        if here.route.startswith("api/") or here.name in OPEN:
            continue
        for method in ("get", "post"):
            tried += 1
            with subtests.test(f"{method} {here.name} {here.route}"):
                page = getattr(here.come("boss"), method)(here.path)
                assert page["Location"].startswith("/accounts/factors/?next=")
    assert tried > 200


@pytest.mark.parametrize("asked", ASKED)
def test_who_is_asked_and_where(asked, rows, sessions, settings):  # noqa: F811 - fixtures
    settings.SECOND_FACTOR_REQUIRED_OF = asked
    for who in ("boss", "stranger", "host", "member"):
        for path in ("/bookings/", "/admin/"):
            page = browser(sessions, who).get(path)
            is_stopped = page.get("Location", "").startswith("/accounts/factors/")
            where = ASKED[asked].get(who)
            assert is_stopped is (where is not None and path.startswith(where)), (who, path)


def test_what_stays_open(rows, sessions, settings):  # noqa: F811 - fixtures
    settings.SECOND_FACTOR_REQUIRED_OF = "managers"
    for path in ("factors/", "factors/app/", "profile/"):
        assert browser(sessions, "boss").get(f"/accounts/{path}").status_code == 200
    assert browser(sessions, "boss").post("/accounts/logout/")["Location"] == "/"


def test_the_api_says_so_too(rows, sessions, settings):  # noqa: F811 - fixtures
    settings.SECOND_FACTOR_REQUIRED_OF = "managers"
    for here in every_address(rows, sessions):
        if here.name in {"api:list_bookings", "api:list_events"}:
            page = here.come("boss").get(here.path)
            assert (page.status_code, page.json()["code"]) == (403, "second_factor_required")
    text = issue(rows["space"].staff_roles.first().user)[1]
    assert program(text).get("/api/v1/bookings").status_code == 200, "tokens keep working"


def test_once_there_is_one_everything_opens(host, space, client, settings):
    settings.SECOND_FACTOR_REQUIRED_OF = "staff"
    client.force_login(host)
    page = client.post(f"/staff/{space.slug}/walk-in/", {"people": "2"}, follow=True)
    assert page.redirect_chain[-1][0].startswith("/accounts/factors/?next=")
    assert "What you sent is kept" in page.text
    app_of(host)
    session = client.session
    session["second_factor_passed"] = True
    session.save()
    page = client.get(f"/staff/{space.slug}/walk-in/", follow=True)
    assert 'name="people" value="2"' in page.text
    assert Client().get("/").status_code == 200
