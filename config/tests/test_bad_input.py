"""Bad input, tried on every address and every form: a clear answer, no 500, nothing written.

The addresses come from the URLconf and the forms from the pages, so a new one is tried too; a
parameter that nothing here can fill in fails until it is told how.
"""

import re
from datetime import timedelta
from html.parser import HTMLParser
from operator import itemgetter
from urllib.parse import quote, urlencode

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.tests.programs import issue
from bookings.log import place_new
from bookings.tests.acts import book, hours
from spaces.factories import ClosureFactory, PolicyFactory

pytestmark = pytest.mark.django_db

TOKEN = "csrfmiddlewaretoken"
CLEAR = {200, 301, 302, 400, 401, 403, 404, 405, 409, 422}

#: What fills each parameter of an address: a word, or the row with that key; {row} is the one that
#: the address names, as in /admin/spaces/place/<object_id>/change/.
FILLED = {
    "key": "1-of-nobody",
    "slug": "loft",
    "code": "booking",
    "pk": "space",
    "id": "user",
    "object_id": "{row}",
    "app_label": "bookings",
    "url": "nothing/here/",
}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>.*?\)(?=[/$])")

#: Pages that answer a plain GET with something else than a page.
REFUSED = {
    "new_password": 404,  # a key is good for two hours
    "reschedule": 405,
    "logout": 405,
    "language": 405,
    "admin:logout": 405,
    "admin:autocomplete": 403,
    "admin:axes_accessattempt_add": 403,
    "admin:bookings_booking_delete": 403,
    "admin:accounts_user_delete": 403,
    "admin:bookings_booking_cancel": 404,  # it is told which bookings
    "admin:accounts_user_leave": 404,  # and this one which people
    "admin:": 404,
    "admin:accounts_apitoken_add": 403,
    "api:api-root": 404,
    "api:create_token": 405,
    "api:create_bookings": 405,
    "api:get_availability": 422,  # it is told for when
}
#: Here the request is the whole question: pressing the button does what it says.
PRESSED = re.compile(r"(cancel|revoke|logout|_delete)$")

GARBAGE = [
    "",
    "\x00",
    "-1",
    "9" * 30,
    "9" * 5000,
    "NaN",
    "1e9",
    "٣٣٣٣-١١-٢٥",
    "\"'><script>alert(1)</script>",
    "{{ x }}{% x %}%(x)s%d{0.__class__}",
    "../../../etc/passwd",
    "a\r\nSet-Cookie: b=c",
    "//evil.example/",
    "2026-02-30T25:61",
    "9999-12-31T23:59",
    "00000000-0000-0000-0000-000000000000",
    "\U0001f468\u200d\u202e\ufffe",
]
TYPED = ["\x00", "9" * 30, "-1", "NaN", "٣٣", "\"'><script>alert(1)</script>", "2026-02-30T25:61"]
QUERIES = ["%ff%fe=%ff", "a=1&" * 1500, "%00=%00", "&&==%", "_selected_action=%00", "codes=1,2"]
ASKED = [
    *("date", "from", "to", "party", "feature", "sort", "place", "move", "state", "space", "page"),
    *("next", "day", "over", "q", "o", "p", "e", "codes", "what", "shown", "member", "first_day"),
    *("starts", "_popup", "_to_field", "starts_at", "ends_at", "party_size", "cursor", "limit"),
    "after",
]
BODIES = [
    ("application/x-www-form-urlencoded", b"\xff\xfe=\xc3\x28&%ff=%fe&%&=&a"),
    ("application/x-www-form-urlencoded", b"a=1&" * 1500),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=1"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="\xff'),
    ("multipart/form-data; boundary=x; charset=hex", b"--x--"),
    ("application/json", b'{"place": '),
    ("text/\xff", b"\x00"),
]
HEADERS = [
    {"HTTP_HOST": "evil.example"},
    {"CONTENT_TYPE": "text/plain; charset=hex"},
    {"HTTP_COOKIE": r'sessionid="aaaaaaaa\000"; csrftoken="\000"; messages="\000"'},
    {"HTTP_COOKIE": 'sessionid=\xff\xfe; django_language="../../x"; messages=[[]]'},
    {"HTTP_ACCEPT_LANGUAGE": "x" * 5000, "HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "\xff"},
    {"REMOTE_ADDR": "\xff", "HTTP_X_FORWARDED_FOR": "\xff, ' OR 1=1"},
]


def addresses(patterns, prefix="", namespace=""):
    """Yield (name, route) of everything below; a few routes of Django's admin have no name."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from addresses(pattern.url_patterns, route, namespace + inner)
        else:
            yield namespace + (pattern.name or ""), route


every_address = pytest.mark.parametrize(
    ("name", "route"), list(addresses(get_resolver().url_patterns)), ids=str
)


@pytest.fixture
def rows(space, desk, alice, host, soon):
    """One row of everything, so that each address about a row has its row."""
    group = Group.objects.create(name="Friends")
    PolicyFactory.create(space=space, group=group)
    booking = book(desk, alice, soon - hours(24), soon)
    place_new()  # who reads the events first gives them their places
    return {
        "space": space,
        "place": desk,
        "group": group,
        "closure": ClosureFactory.create(space=space, starts_at=soon + timedelta(days=9)),
        "booking": booking,
        "user": UserFactory.create(username="carol"),
        "accessattempt": AccessAttempt.objects.create(username="dave", failures_since_start=1),
        "apitoken": issue(alice)[0],
    }


@pytest.fixture
def browsers(rows, alice, host):
    """A visitor and everybody who has a session."""
    found = {"visitor": Client(), "member": Client(), "host": Client(), "boss": Client()}
    found["member"].force_login(alice)
    found["host"].force_login(host)
    found["boss"].force_login(UserFactory.create(username="boss", is_superuser=True))
    return found


def whose(name):
    """Return who sees most at an address."""
    return "boss" if name.startswith("admin:") else "member"


def path_of(route, rows, garbage=None):
    """Fill the parameters of a route in, with what is there or with garbage."""
    named = next((row for row in rows if f"/{row}/" in route), "space")
    if route.startswith("accounts/tokens/"):
        rows = {**rows, "booking": rows["apitoken"]}

    def value(found):
        if garbage is not None:
            return quote(garbage, safe="")
        parameter = found[1] or found[2]
        row = rows.get(filled := FILLED[parameter].format(row=named))
        if row is None:
            return filled
        return str(row.code if parameter == "code" else row.pk)

    return "/" + PARAMETER.sub(value, route).translate({ord("^"): None, ord("$"): None})


def written():
    """Return every row of ours; sessions and the count of wrong passwords may change."""
    ours = {"accounts", "spaces", "bookings", "notifications", "auth", "admin"}
    return {
        model._meta.label: sorted(map(repr, model.objects.values_list()))
        for model in apps.get_models()
        if model._meta.app_label in ours
    }


@every_address
def test_every_address_leads_somewhere(browsers, rows, name, route):
    """Without this the tests below could be trying nothing but «not found»."""
    answer = browsers[whose(name)].get(path_of(route, rows))
    expected = {REFUSED[name]} if name in REFUSED else {200, 302}
    if (name, route.count("/")) == ("admin:", 4):  # the short address of a row
        expected = {302}
    assert answer.status_code in expected


@every_address
def test_a_bad_query(browsers, rows, name, route):
    path = path_of(route, rows)
    before = written()
    for value in GARBAGE:
        query = urlencode([(asked, value) for asked in ASKED for _ in range(2)])
        answer = browsers[whose(name)].get(f"{path}?{query}")
        assert answer.status_code in CLEAR, value
        assert "<script>alert" not in answer.text
    for query in QUERIES:
        answer = browsers[whose(name)].get(path, QUERY_STRING=query)
        assert answer.status_code in CLEAR, query
    assert written() == before


@every_address
def test_a_broken_path(browsers, rows, name, route):
    path = path_of(route, rows)
    paths = [f"{path}%00", f"{path}%ff/", f"/{path}", f"{path}%0d%0aa:b/", f"{path}%5c"]
    if PARAMETER.search(route):
        paths += [path_of(route, rows, garbage) for garbage in GARBAGE]
    for broken in paths:
        answer = browsers[whose(name)].get(broken)
        assert answer.status_code in CLEAR, broken
        assert re.match("/(?!/)", answer.get("Location", "/")), broken


@every_address
def test_a_wrong_method(browsers, rows, name, route):
    path = path_of(route, rows)
    before = written()
    known = browsers[whose(name)].generic("BREW", path).get("Allow", "").split(", ")
    for method in {"PUT", "DELETE", "PATCH", "TRACE", "BREW"}.difference(known):
        answer = browsers[whose(name)].generic(method, path)
        assert answer.status_code in {404, 405}, method
        assert browsers["visitor"].generic(method, path).status_code in {302, 404, 405}, method
    assert written() == before


@every_address
def test_a_broken_body(browsers, rows, name, route):
    path = path_of(route, rows)
    before = written()
    people = ["visitor"] if PRESSED.search(name) else ["visitor", whose(name)]
    for who in people:
        for content_type, body in BODIES:
            answer = browsers[who].generic("POST", path, body, content_type)
            assert answer.status_code in CLEAR, (who, content_type, body)
    assert written() == before


@every_address
def test_broken_headers(browsers, rows, name, route):
    path = path_of(route, rows)
    for headers in HEADERS:
        answer = browsers[whose(name)].get(path, **headers)
        assert answer.status_code in CLEAR, headers
        if answer.status_code != 302 and not route.endswith("jsi18n/"):
            is_asked_again = answer.status_code == 200 and route.startswith("api/")
            directive = "no-cache" if is_asked_again else "no-store"
            assert directive in answer["Cache-Control"] or "password_change" in name
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@every_address
def test_a_form_of_another_site(browsers, rows, name, route):
    path = path_of(route, rows)
    before = written()
    browser = browsers[whose(name)]
    browser.handler.enforce_csrf_checks = True
    expected = {400} if name == "api:create_token" else {403, 404, 405}  # it asks for a password
    assert browser.post(path, {"language": "ru"}).status_code in expected
    assert written() == before


@every_address
def test_visitors_and_staff_of_another_space_see_and_change_nothing(rows, name, route):
    path = path_of(route, rows)
    stranger = StaffRoleFactory.create(user__username="stranger", role="MANAGER").user
    visitor, elsewhere = Client(), Client()
    elsewhere.force_login(stranger)
    before = written()
    for browser in (visitor, elsewhere):
        assert "alice" not in browser.get(path).text
        if not PRESSED.search(name) or "<" in route:
            assert "alice" not in browser.post(path, {"post": "yes", "name": "Mine"}).text
    assert written() == before
    if name.startswith("admin:") and "<" in route and "app_label" not in route:
        assert elsewhere.get(path).status_code in {302, 403, 404}


class PostedForms(HTMLParser):
    """The forms of a page that post: (address, [(name, value)]); not those of the frame."""

    def __init__(self, page):
        super().__init__()
        self.found, self._fields = [], None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        got = dict(attrs)
        if tag == "form":
            is_of_frame = got.get("class") == "languages" or "logout" in got.get("action", "")
            self._fields = []
            if got.get("method") == "post" and not is_of_frame:
                self.found.append((got.get("action"), self._fields))
        elif self._fields is not None and got.get("name", TOKEN) != TOKEN:
            self._fields.append((got["name"], got.get("value") or ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self._fields = None


@every_address
def test_garbage_in_every_field(browsers, rows, name, route):
    """All at once; once those too that say how many rows a form has."""
    path = path_of(route, rows)
    for who in {"visitor", whose(name)}:
        page = browsers[who].get(path)
        if PRESSED.search(name) or not page.get("Content-Type", "").startswith("text/html"):
            continue
        for action, fields in filter(itemgetter(1), PostedForms(page.text).found):
            before = written()
            for garbage in TYPED:
                kept = "_FORMS" if garbage != "-1" else "no field"
                sent = [(k, v if k.endswith(kept) else garbage) for k, v in fields]
                answer = browsers[who].post(action or path, _as_lists(sent))
                assert answer.status_code in CLEAR | {429}, (who, action, garbage)
                assert "<script>alert" not in answer.text
                if garbage == "\x00":
                    assert written() == before
                if answer.status_code == 302:  # it was no garbage here, and perhaps signed us out
                    break


def _as_lists(fields):
    return {name: [v for n, v in fields if n == name] for name, _ in fields}


def test_the_pages_have_forms_to_try(browsers, rows, desk):
    """The reader of forms above finds what people fill in."""
    (register, _), *_ = [
        (dict(fields), action)
        for action, fields in PostedForms(browsers["visitor"].get("/accounts/register/").text).found
    ]
    assert {"username", "password1", "password2", "email"} <= register.keys()
    board = PostedForms(browsers["member"].get("/spaces/loft/").text).found
    assert {"place", "starts_at", "ends_at", "request_key"} <= dict(board[0][1]).keys()
