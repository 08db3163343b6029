"""GraphQL says what the JSON API says, to whom it says it, at the same price, and never more."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken
from bookings.models import Booking
from bookings.tests.acts import TEN, book, hours
from bookings.tests.programs import Program, program, token
from config.api import api
from config.graphql.limits import AT_ONCE, COST, DEPTH
from config.graphql.schema import FIELDS, schema
from config.tests.test_api_matrix import browser
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

URL = "/api/graphql"


def whole(kind):
    """Write a selection set with every field of a type, all the way down."""
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    if not hasattr(kind, "fields"):
        return ""
    return " { " + " ".join(n + whole(field.type) for n, field in kind.fields.items()) + " }"


def many(count, what):
    """Ask for a field so many times, by other names."""
    return " ".join(f"{what.split()[0]}{n}: {what}" for n in range(count))


def all_of(field, arguments=""):
    return f"{{ {field}{arguments}{whole(schema()._schema.query_type.fields[field].type)} }}"


@pytest.fixture
def ask():
    """Send a query: as somebody with a token, or as a visitor."""

    def ask(query, user=None, *, scope=ApiToken.Scope.READ, **variables):
        headers = {"authorization": f"Bearer {token(user, scope)}"} if user else {}
        return Client(headers=headers).post(
            URL, {"query": query, "variables": variables}, content_type="application/json"
        )

    return ask


def data(answer):
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def refusal(answer):
    """Return the problem of the one field that was refused."""
    assert answer.status_code == 200, answer.text
    [error] = answer.json()["errors"]
    return error["extensions"]


class TestTheSame:
    def test_fields_are_operations_that_read(self):
        assert set(schema()._schema.query_type.fields) == set(FIELDS)
        assert schema()._schema.mutation_type is schema()._schema.subscription_type is None

    def test_spaces(self, ask, space):
        assert data(ask(all_of("spaces")))["spaces"] == program(None).get("/spaces").json()

    def test_a_space(self, ask, space):
        open_space(slug="bistro", kind="RESTAURANT", places=2)
        for slug in ("loft", "bistro"):
            said = data(ask(all_of("space", f'(slug: "{slug}")')))["space"]
            assert said == program(None).get(f"/spaces/{slug}").json()

    def test_what_is_free(self, ask, desk, alice, now, soon):
        when = {"starts_at": soon.isoformat(), "ends_at": (soon + hours(1)).isoformat()}
        query = all_of("availability", '(slug: "loft", starts_at: $a, ends_at: $b)')
        said = data(
            ask(f"query ($a: String!, $b: String!) {query}", a=when["starts_at"], b=when["ends_at"])
        )
        expected = program(None).get(f"/spaces/loft/availability?{urlencode(when)}").json()
        assert said["availability"] == expected
        assert len(expected["free_places"]) == 3

    def test_bookings_and_one_of_them(self, ask, desk, alice, now):
        booking = book(desk, alice, now, note="By the “window”, для Анны")
        hers = program(alice)
        assert data(ask(all_of("bookings"), alice))["bookings"] == hers.get("/bookings").json()
        said = data(ask(all_of("booking", f'(code: "{booking.code}")'), alice))["booking"]
        assert said == hers.get(f"/bookings/{booking.code}").json()

    def test_filters_and_pages(self, ask, desk, alice, now):
        for n in range(3):
            book(desk, alice, now, TEN + hours(24 * n), 1)
        query = """query ($c: String) {
            bookings(sort: "starts_at", state: ["CONFIRMED"], limit: 2, cursor: $c) {
                items { code } next_cursor
            }
        }"""
        first = data(ask(query, alice))["bookings"]
        rest = data(ask(query, alice, c=first["next_cursor"]))["bookings"]
        told = [row["code"] for row in first["items"] + rest["items"]]
        assert told == [
            str(code)
            for code in Booking.objects.order_by("starts_at").values_list("code", flat=True)
        ]
        assert rest["next_cursor"] is None


class TestWho:
    @pytest.fixture
    def booking(self, desk, alice, now):
        return book(desk, alice, now)

    @pytest.fixture
    def people(self, alice, bob, host):
        return {"alice": alice, "bob": bob, "host": host}

    @pytest.mark.parametrize("who", [None, "alice", "bob", "host"])
    def test_each_sees_what_the_api_shows_them(self, ask, booking, people, who):
        user = people.get(who)
        said = ask(
            f'{{ bookings {{ items {{ code }} }} booking(code: "{booking.code}") {{ code }} }}',
            user,
        )
        rest = program(user)
        for field, path in (("bookings", "/bookings"), ("booking", f"/bookings/{booking.code}")):
            expected = rest.get(path)
            if expected.status_code == 200:
                assert said.json()["data"][field] is not None
                continue
            assert said.json()["data"][field] is None
            [error] = [each for each in said.json()["errors"] if each["path"] == [field]]
            assert error["extensions"] == expected.json()
        if who == "bob":
            assert said.json()["data"]["bookings"] == {"items": []}

    def test_a_token_for_one_space_reads_no_other(self, booking, alice, now):
        away = open_space(slug="away", places=1)
        book(away.places.get(), alice, now, TEN + hours(48), 1)
        text = token(alice, ApiToken.Scope.READ, space=away)
        rest = Program(Client(), authorization=f"Bearer {text}")
        said = Client(headers={"authorization": f"Bearer {text}"}).post(
            URL,
            {"query": f'{all_of("bookings")[:-1]} booking(code: "{booking.code}") {{ code }} }}'},
            content_type="application/json",
        )
        listed = rest.get("/bookings").json()
        assert said.json()["data"] == {"bookings": listed, "booking": None}
        assert [row["place"]["space"] for row in listed["items"]] == ["away"]
        assert refusal(said) == rest.get(f"/bookings/{booking.code}").json()

    def test_a_token_that_is_not_ours_is_refused_everywhere(self, space):
        client = Client(headers={"authorization": "Bearer nonsense"})
        answer = client.get(URL, {"query": "{ spaces { items { slug } } }"})
        assert refusal(answer)["code"] == "unauthenticated"

    def test_a_session_reads_without_a_form_and_a_form_of_another_site_is_refused(
        self, booking, alice
    ):
        client = browser(alice)  # enforces CSRF checks
        query = {"query": "{ bookings { items { code } } }"}
        said = client.post(URL, query, content_type="application/json")
        assert data(said)["bookings"]["items"] == [{"code": str(booking.code)}]
        for form in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            assert client.post(URL, "{}", content_type=form).status_code == 400

    def test_nothing_can_be_changed(self, ask, alice):
        answer = ask("mutation { book { code } }", alice)
        assert answer.status_code == 422
        assert answer["Content-Type"] == "application/problem+json"


class TestLimits:
    def test_each_field_counts_as_a_request(self, ask, space, settings):
        settings.API_RATES = {**settings.API_RATES, "address": 3}
        answer = ask(f"{{ {many(4, 'spaces { next_cursor }')} }}")
        assert refusal(answer)["code"] == "too_many_requests"
        assert [found is None for found in answer.json()["data"].values()] == [False] * 3 + [True]
        assert '"address";r=0' in answer["RateLimit"]
        assert ask("{ spaces { items { slug } } }").status_code == 429

    def test_each_field_counts_for_the_token(self, alice, settings):
        settings.API_RATES = {**settings.API_RATES, "token": 2}
        client = Client(headers={"authorization": f"Bearer {token(alice)}"})
        query = " ".join(f"b{n}: bookings {{ items {{ code }} }}" for n in range(3))
        answer = client.get(URL, {"query": f"{{ {query} }}"})
        assert refusal(answer)["code"] == "too_many_requests"

    @pytest.mark.parametrize(
        "query",
        [
            f"{{ {many(AT_ONCE + 1, 'spaces { next_cursor }')} }}",
            f"{{ ...f }} fragment f on Query {{ {many(AT_ONCE + 1, 'spaces { next_cursor }')} }}",
            f"{{ bookings(limit: 100) {{ items {{ {many(COST // 100, 'code')} }} }} }}",
            f"query ($n: Int) {{ bookings(limit: $n) {{ items {{ {many(50, 'code')} }} }} }}",
            "{ bookings(limit: 100) { items { ...a ...b } } }"
            f" fragment a on Booking {{ {many(COST // 200, 'code')} }}"
            f" fragment b on Booking {{ {many(COST // 200, 'note')} }}",
            "{ spaces { items { slug " * 2 + "}" * 6,
            "{ ...f } fragment f on Query { ...g } fragment g on Query { ...f }",
            f"{{ __schema {{ types {{ {many(1000, 'name')} }} }} }}",
            "{ a " * 5000,
            "{ " * 100_000,
            "query A { spaces { next_cursor } } query B { spaces { next_cursor } }",
            "fragment f on Query { spaces { next_cursor } }",
            "{ nonsense }",
            "}",
            "\ud800",
            "{ space(slug: 1) { name } }",
        ],
    )
    def test_a_query_that_asks_for_too_much_or_for_nonsense_is_a_problem(self, ask, query):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            answer = ask(query)
        assert answer.status_code == 422
        assert answer.json()["code"] == "invalid"
        assert all(
            error["field"] == "query" and error["message"] for error in answer.json()["errors"]
        )
        assert len(seen) == 0

    def test_a_page_of_everything_is_allowed(self, ask, desk, alice, now):
        data(ask(all_of("bookings", "(limit: 100)"), alice))
        data(ask(f"{{ {many(AT_ONCE, 'spaces { next_cursor }')} }}"))

    def test_depth(self):
        def deep(kind, seen=()):
            while hasattr(kind, "of_type"):
                kind = kind.of_type
            fields = getattr(kind, "fields", {})
            return 1 + max((deep(field.type) for field in fields.values()), default=-1)

        assert deep(schema()._schema.query_type) <= DEPTH

    def test_introspection_can_be_switched_off(self, ask, settings):
        query = "{ __schema { types { name } } }"
        assert data(ask(query))
        settings.GRAPHQL_INTROSPECTION = False
        assert ask(query).status_code == 422
        assert "spaces" not in ask("{ space }").text
        assert "spaces" not in ask("{ spacs { next_cursor } }").json()["errors"][0]["message"]
        assert data(ask("{ __typename }")) == {"__typename": "Query"}


@pytest.mark.parametrize("field", ["spaces", "bookings"])
def test_more_rows_take_no_more_statements(ask, desk, alice, now, field):
    def statements(query, user):
        with CaptureQueriesContext(connection) as seen:
            data(ask(query, user))
        return len(seen)

    query = all_of(field)
    book(desk, alice, now)
    ask(query, alice)
    few = statements(query, alice)
    for n in range(1, 6):
        book(open_space(slug=f"more-{n}").places.first(), alice, now, TEN + hours(24 * n), 1)
    assert statements(query, alice) <= few


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        ("17", 422),
        ("null", 422),
        ("{}", 422),
        ('{"query": 17}', 422),
        ('{"query": ""}', 422),
        ('{"query": "{ spaces { next_cursor } }", "variables": []}', 422),
        ('{"query": "{ spaces { next_cursor } }", "variables": {"n": NaN}}', 400),
        ('{"query": "{ spaces { next_cursor } }", "operationName": 3}', 422),
        ('{"query": "{ spaces { next_cursor } }", "operationName": "x"}', 422),
        ('{"query": "{ spaces { next_cursor } }", "more": 1}', 422),
        ('{"query": "{ spaces { next_cursor } }", "query": "{ spaces { next_cursor } }"}', 400),
        ("[" * 100_000, 400),
    ],
)
def test_a_body_that_is_no_query_is_a_problem(body, status):
    answer = Client().post(URL, body, content_type="application/json")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("query=%7B", 422),
        ("query=%00", 422),
        ("query={spaces{next_cursor}}&query={spaces{next_cursor}}", 422),
        ("query={spaces{next_cursor}}&limit=1", 422),
        ("query={spaces{next_cursor}}&variables=x", 400),
        ("query={spaces{next_cursor}}&variables=[]", 422),
        ("query={spaces{next_cursor}}&variables=", 200),
        ("query={spaces{next_cursor}}&operationName=", 200),
    ],
)
def test_an_address(query, status):
    assert Client().get(URL, QUERY_STRING=query).status_code == status


@pytest.mark.parametrize("slug", ["nowhere", "", "../loft", "loft/availability", "a b", "%00", "é"])
def test_what_is_not_there(ask, space, slug):
    problem = refusal(ask("query ($s: String!) { space(slug: $s) { name } }", s=slug))
    assert problem["code"] == "not_found"


def test_a_wrong_value_is_named_as_in_the_api(ask, alice):
    problem = refusal(ask("{ bookings(limit: 101) { next_cursor } }", alice))
    assert problem["code"] == "invalid"
    assert problem["errors"][0]["field"] == "query.limit"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods(method):
    answer = getattr(Client(), method)(URL)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, POST"


def test_every_operation_that_reads_is_a_field_or_said_not_to_be():
    reading = {
        operation["get"]["operationId"]
        for operation in api.get_openapi_schema(path_prefix="")["paths"].values()
        if "get" in operation
    }
    assert len(reading) == len(FIELDS) + 1  # but listEvents, which writes positions
