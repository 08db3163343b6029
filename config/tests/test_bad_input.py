"""Bad input, tried on every URL and every form: a clear answer, no 500, nothing written.

The URLs come from the URLconf and the forms from the pages, so new ones are tried too.
"""

import re
from operator import itemgetter
from urllib.parse import unquote, urlsplit

import pytest
from django.urls import is_valid_path, resolve

from config.tests.garbage import (
    BODIES,
    GARBAGE,
    HEADERS,
    TYPED,
    WORST,
    PostedForms,
)
from config.tests.walk import (
    PARAMETER,
    at_every_address,
    browser,
    path_of,
    rows,  # noqa: F401 - a fixture
    sessions,  # noqa: F401 - a fixture
    undone,
)
from config.tests.watching import looks

pytestmark = pytest.mark.django_db

CLEAR = {200, 301, 302, 400, 401, 403, 404, 405, 409, 422}

#: Pages that answer a plain GET with something other than a page.
REFUSED = {
    "new_password": 404,  # a key is valid for two hours
    "confirm_email": 404,  # signed, for an address
    "metrics": 404,  # for Prometheus, which knows a token
    "join": 404,  # a key is valid for seven days
    "staff_invitation": 405,
    "staff_role": 405,
    "staff_member": 405,
    "staff_tier_new": 405,
    "staff_guest_links": 405,
    "guest_check_in": 405,
    "waiting_yes": 405,
    "waiting_no": 405,
    "staff_waiting_act": 405,
    "email_again": 405,
    "reschedule": 405,
    "undo_walk_in": 405,
    "logout": 405,
    "oidc": 404,  # unless a provider is set
    "oidc_back": 404,
    "passkey_sign_in": 405,
    "passkey_options": 405,
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
    "admin:accounts_featureflag_add": 403,
    "admin:accounts_featureflag_delete": 403,
    "staff_visit": 405,
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
    "api:record_visit": 405,
    "api:get_availability": 422,  # needs to be told when
    "graphql": 422,  # needs a query
}
#: The request is everything here: pressing the button does what it says.
PRESSED = re.compile(
    r"(cancel|revoke|undo_walk_in|^waiting_yes|^waiting_no|logout|_delete|_ping|_switch|_secret|_remove|_resend|_again"
    r"|_erase|_links|unsubscribe|featureflag_change"
    r"|(^|renew_|close_)calendar|^notifications|^stays|^factor_codes)$"
)
#: Anyone with the URL may press the button, even a mail program: the URL is the secret.
OPEN = {"unsubscribe"}
#: The URL is the secret here too, and whoever has it may press the button on the page.
DONE_BY_THE_URL = {"guest_cancel", "guest_check_in", "waiting_yes", "waiting_no"}


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
    insider = here.come()
    paths = [each.format(here.path) for each in here.share(BROKEN)]
    if PARAMETER.search(here.route):
        garbage = here.share(GARBAGE, of=5, always=WORST)
        paths += [path_of(here.route, here.rows, each) for each in garbage]
    # What leads to no view is answered alike everywhere.
    *elsewhere, nowhere = sorted(paths, key=is_nowhere)
    for broken in [each for each in elsewhere if not is_nowhere(each)] + [nowhere]:
        answer = insider.get(broken)
        assert answer.status_code in CLEAR, broken
        assert re.match("/(?!/)", answer.get("Location", "/")), broken


BROKEN = ["{}%00", "{}%ff/", "/{}", "{}%0d%0aa:b/", "{}%5c"]


def is_nowhere(path):
    return not any(is_valid_path(unquote(path) + end) for end in ("", "/"))


@pytest.mark.any_database
@at_every_address
def test_a_wrong_method(here):
    """A view that answers which methods it allows refuses every other in one place."""
    path, insider, visitor = here.path, here.come(), here.come("visitor")
    refusal = insider.generic("BREW", path)
    assert refusal.status_code in {404, 405}
    wrong = [each for each in METHODS if each not in refusal.get("Allow", "").split(", ")]
    one = wrong[here.number % len(wrong)]
    for method in [one] if "Allow" in refusal else wrong:
        assert insider.generic(method, path).status_code in {404, 405}, method
    assert visitor.generic(one, path).status_code in {302, 404, 405}, one


METHODS = ["PUT", "DELETE", "PATCH", "TRACE", "BREW"]


@pytest.mark.any_database
@at_every_address
def test_a_broken_body(here):
    if here.name in DONE_BY_THE_URL:
        return
    people = ["visitor"] if PRESSED.search(here.name) else ["visitor", here.insider]
    for who in people:
        someone = here.come(who)
        for content_type, body in rotated(here.share(BODIES), here.number):
            with looks() as seen:
                answer = someone.generic("POST", here.path, body, content_type)
            assert answer.status_code in CLEAR, (who, content_type, body)
            if "body" not in seen and answer.status_code != 400:  # it is the same for all of them
                break
            if who == "visitor" and answer.status_code == 302:  # in one place, for all pages
                break


def rotated(things, n):
    """Begin elsewhere at each address: one thing at each is everything somewhere."""
    n %= len(things)
    return things[n:] + things[:n]


@pytest.mark.any_database
@at_every_address
def test_broken_headers(here):
    insider = here.come()
    for headers in HEADERS:
        answer = insider.get(here.path, **headers)
        assert answer.status_code in CLEAR, headers
        if answer.status_code != 302 and not here.route.endswith(("jsi18n/", "webmanifest")):
            is_asked_again = answer.status_code == 200 and (
                here.name in {"home", "board"} or here.route.startswith(("api/", "calendars/"))
            )
            directive = "no-cache" if is_asked_again else "no-store"
            assert directive in answer["Cache-Control"] or "password_change" in here.name
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@pytest.mark.any_database
@at_every_address
def test_a_form_of_another_site(here):
    if here.name in OPEN:
        return
    answer = here.come(enforce_csrf_checks=True).post(here.path, {"language": "ru"})
    asks_for_a_password = here.name in {"api:create_token", "api:create_account"}
    is_a_key = here.name == "door"  # no cookie says who sends; see docs/decisions/0022
    takes_no_form = here.name == "graphql"  # and changes nothing
    refused = {400} if asks_for_a_password or is_a_key or takes_no_form else {403, 404, 405}
    assert answer.status_code in refused


@pytest.mark.any_database
@at_every_address
def test_visitors_and_staff_of_another_space_see_and_change_nothing(here):
    path = here.path
    for someone in (here.come("visitor"), here.come("stranger")):
        page = someone.get(path)
        assert "alice" not in page.text
        if here.name not in OPEN | DONE_BY_THE_URL and (
            not PRESSED.search(here.name) or "<" in here.route
        ):
            assert "alice" not in someone.post(path, {"post": "yes", "name": "Mine"}).text
    if here.name.startswith("admin:") and "<" in here.route and "app_label" not in here.route:
        assert page.status_code in {302, 403, 404}  # the stranger's


@at_every_address
def test_garbage_in_every_field(here):
    """All at once; once including those that say how many rows a form has."""
    for who in {"visitor", here.insider}:
        page = here.come(who).get(here.path)
        if PRESSED.search(here.name) or not page.get("Content-Type", "").startswith("text/html"):
            continue
        for action, fields in filter(itemgetter(1), PostedForms(page.text).found):
            to = urlsplit(action or here.path).path
            if PRESSED.search(resolve(to).view_name):  # a button with a name, such as "Try now"
                continue
            with undone():
                fill_with_garbage(here, who, action or here.path, fields)


def fill_with_garbage(here, who, action, fields):
    someone = here.come(who)
    for garbage in typed(here):
        kept = "_FORMS" if garbage != "-1" else "no field"
        sent = [(k, v if k.endswith(kept) else garbage) for k, v in fields]
        answer = someone.post(action, _as_lists(sent))
        assert answer.status_code in CLEAR | {429}, (who, action, garbage)
        assert "<script>alert" not in answer.text
        if garbage == "\x00":
            assert here.is_as_before()
        if answer.status_code == 302:  # it wasn't garbage here, and perhaps signed us out
            break


def typed(here):
    """Return what to type; of the two pages with a model's fields each gets a half."""
    verb = here.name.rpartition("_")[2]
    if verb == "change" and here.name.replace("_change", "_add") in REFUSED:
        return TYPED
    turn = {"add": 0, "change": 1}.get(verb)
    return here.share(TYPED, of=3 if turn is None else 2, always=["\x00"], turn=turn)


def _as_lists(fields):
    return {name: [v for n, v in fields if n == name] for name, _ in fields}


def test_the_pages_have_forms_to_try(sessions):  # noqa: F811 - the fixture
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
