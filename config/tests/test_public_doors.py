"""Whatever a stranger can send is counted in the database, or harmless for a reason given here.

The doors come from the URLconf and from the API, so a new one has to say which it is.
"""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.factories import PASSWORD, UserFactory
from config.api import api
from config.tests.garbage import PostedForms
from config.tests.walk import (
    Address,
    addresses,
    rows,  # noqa: F401 - a fixture
    sessions,  # noqa: F401 - a fixture
)

#: What is sent.
COUNTED = {
    "passkey_options": {"for": "sign_in"},
    "register": {"username": "carol", "password1": PASSWORD, "password2": PASSWORD},
    "forgotten": {"who": "alice"},
    "login": {"username": "alice", "password": "wrong"},
    "guest": {"name": "Anna", "email": "anna@example.org"},
    "createToken": {"username": "alice", "password": "wrong"},
    "createAccount": {"username": "carol", "password": PASSWORD},
}
HARMLESS = {
    "logout": "ends a session",
    "language": "sets a cookie",
    "new_password": "opens by a key of 160 bits from a mail",
    "confirm_email": "opens by a signature from a mail",
    "join": "opens by a key of 256 bits from a mail, and signs up like the rest",
    "check_in_link": "opens by a signature from a mail",
    "unsubscribe": "opens by a signature from a mail",
    "door": "opens by a key of 256 bits that a space's managers make",
    "guest_cancel": "opens by a signature of 256 bits from a mail",
    "guest_check_in": "opens by a signature of 256 bits from a mail",
    "waiting_yes": "opens by a signature of 256 bits from a mail",
    "waiting_no": "opens by a signature of 256 bits from a mail",
    "guest_move": "opens by a signature of 256 bits from a mail",
    "admin:login": "leads to the page to sign in",
    "second": "only after the right password, and then counted by login",
    "passkey_sign_in": "checks a signature, once for each challenge; those are counted",
}
GETS = {"GET", "HEAD", "OPTIONS"}


def pages(patterns, prefix="", namespace=""):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from pages(pattern.url_patterns, route, namespace + inner)
        elif not route.startswith("api/"):
            yield namespace + (pattern.name or route), pattern.callback


def takes_posts(view):
    """Tell whether a view lets a POST in: those that don't say so by the decorator."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            methods = cell.cell_contents
            if isinstance(methods, list) and set(methods) & {"GET", "POST"}:
                return "POST" in methods
        view = getattr(view, "__wrapped__", None)
    return True


def operations():
    """Yield the operations that anybody may send, without a token."""
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            if method.upper() not in GETS and not operation.get("security"):
                yield operation["operationId"], path


def test_every_public_door_is_counted_or_said_to_be_harmless():
    public = {
        name
        for name, view in pages(get_resolver().url_patterns)
        if not getattr(view, "login_required", True) and takes_posts(view)
    }
    programs = {name for name, _path in operations()}
    assert public | programs == {*COUNTED, *HARMLESS}


@pytest.mark.parametrize("name", COUNTED)
def test_each_counts_without_a_shared_cache(name, db, settings):
    """Every try comes from a client, and finds a cache, that knows nothing of the others."""
    UserFactory(username="alice", email="alice@example.org")
    settings.TRIES = {what: {"address": 3, "login": 3} for what in settings.TRIES}
    settings.AXES_FAILURE_LIMIT = 4
    path = dict(operations()).get(name)
    kind = {"content_type": "application/json"} if path else {}
    found = []
    for _ in range(5):
        cache.clear()
        found.append(Client().post(path or reverse(name), COUNTED[name], **kind))
    assert found[0].status_code < 429
    assert found[-1].status_code == 429
    assert 0 < int(found[-1]["Retry-After"]) <= 3600


#: Where a person's address can be typed; each has it confirmed (notifications/tests).
ADDRESSES = {"register", "login", "email", "admin:accounts_user_change"}
#: Where the address of a space can be.
OF_SPACES = {"admin:spaces_space_add", "admin:spaces_space_change"}
#: Where somebody's can be, to whom only an invitation is sent.
INVITED = {"staff_people", "staff_tiers"}
#: Where the staff note a guest's, who is written to about bookings anyway.
OF_GUESTS = {"staff_guest", "staff_phone", "staff_waiting"}


@pytest.mark.any_database
def test_no_other_page_takes_an_address(rows, sessions):  # noqa: F811 - a fixture
    found = set()
    for name, route in addresses(get_resolver().url_patterns):
        if route.startswith("api/"):
            continue
        here = Address(name, route, rows, sessions, {})
        for who in {here.insider, *(["visitor"] if route.startswith("accounts/") else [])}:
            page = here.come(who).get(here.path)
            if page.get("Content-Type", "").startswith("text/html"):
                forms = PostedForms(page.text).found
                found |= {name for _to, fields in forms if "email" in dict(fields)}
    assert found - OF_SPACES - INVITED - OF_GUESTS <= ADDRESSES
    assert found >= {"register", "email", "admin:accounts_user_change"}
