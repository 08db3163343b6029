"""Numbers, dates and times are read as people write them: in files, forms, URLs and the API.

Python would accept more: `1_0`, digits in other scripts, `2026-W48-3`. The API's parameters come
from its OpenAPI document and the forms from the code, so new ones are tried too; a form with days
or times that nothing here can fill in fails until it is told how.
"""

import re
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from django import forms
from django.contrib import admin
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import get_resolver
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.admin.book import BookForm as StaffBookForm
from bookings.admin.closures import CloseForm
from bookings.deciding.importing import read, request
from bookings.finding import searching
from bookings.forms import BookForm, PartyForm, SearchForm, TimesForm
from bookings.models import Booking
from bookings.staff.forms import EditForm
from bookings.tests.acts import book
from bookings.tests.programs import fields, program
from config.api import api
from spaces import setups
from spaces.clocks import ClockInput, DayInput
from spaces.forms import GeneratePlacesForm
from spaces.models import Place, Space

pytestmark = pytest.mark.django_db

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def misspelt(text, *, blanks=True):
    """Yield spellings of a number, day or time that Python (nearly) accepts and nobody writes."""
    yield from (text.translate(FULL_WIDTH), text.translate(ARABIC))
    yield from (f"{text[0]}_{text[1:] or 0}", f"+{text}", f"0x{text}", f"{text}e0", f"{text}.0")
    if blanks:
        yield from (f" {text}", f"{text} ", f"{text}\u00a0", f"{text}\n")
    if found := DAY.search(text):
        day = date.fromisoformat(found[0])
        weekly, ordinal = f"{day:%G-W%V-%u}", f"{day:%Y-%j}"
        for spelling in (weekly, ordinal, f"{day:%Y%m%d}"):
            yield text.replace(found[0], spelling)
    if ":" in text:
        yield text.replace(":", "", 1)


def test_the_misspellings_include_these():
    assert {"1_0", "+1", "１", "١", "1e0", " 1", "1 ", "0x1"} <= set(misspelt("1"))
    assert "2026-W48-3T10:00" in set(misspelt("2026-11-25T10:00"))


# --- The API


def resolved(schema, document):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def variants(schema, document):
    """Yield the schemas that a value may have."""
    schema = resolved(schema, document)
    for one in schema.get("anyOf", [schema]):
        yield resolved(one, document)


def sample(schema, document):
    """Return a valid value for a number or an instant, as sent; None for anything else."""
    for one in variants(schema, document):
        if one.get("type") == "integer":
            return "2"
        if one.get("type") == "string" and one.get("format") == "date-time":
            return "2026-12-01T10:00:00+03:00"
    return None


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path.removeprefix("/api/v1"), operation


def parameters(document):
    """Yield (method, path, name, valid value) for each number and instant in a URL."""
    for method, path, operation in operations(document):
        for parameter in operation["parameters"]:
            right = sample(parameter["schema"], document)
            if parameter["in"] == "query" and right:
                yield method, path, parameter["name"], right


def bodies(document):
    """Yield (method, path, wrap, name, valid value) for each number and instant in a body."""
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        for schema in (media["schema"] for media in content.values()):
            body = resolved(schema, document)
            for name, value in body["properties"].items():
                if right := sample(value, document):
                    yield method, path, lambda item: item, name, right
                if value.get("type") == "array":
                    inner = resolved(value["items"], document)
                    for each, one in inner.get("properties", {}).items():
                        if right := sample(one, document):
                            yield method, path, lambda item, name=name: {name: [item]}, each, right


@pytest.fixture
def insider(alice, desk, soon):
    """Alice's program, and values for path parameters."""
    booking = book(desk, alice, soon, soon + timedelta(hours=1))
    send = program(alice).send
    filled = {"{code}": str(booking.code), "{slug}": "loft"}

    def ask(method, path, body=None):
        for name, value in filled.items():
            path = path.replace(name, value)
        return send(method, path, body)

    return ask


def test_every_number_and_instant_in_an_api_url(insider):
    tried = list(parameters(api.get_openapi_schema()))
    assert {name for *_, name, _ in tried} >= {"limit", "party_size", "starts_at", "from"}
    for method, path, name, right in tried:
        for wrong in misspelt(right):
            query = QueryDict(mutable=True)
            query[name] = wrong
            answer = insider(method, f"{path}?{query.urlencode()}")
            assert answer.status_code == 422, (path, name, wrong)
            assert f"query.{name}" in fields(answer), (path, name, wrong)
        # A URL where + was not written as %2B.
        assert insider(method, f"{path}?{name}=+{right}").status_code == 422


def test_every_number_and_instant_in_an_api_body(insider):
    tried = list(bodies(api.get_openapi_schema()))
    assert {name for *_, name, _ in tried} >= {"days", "party_size", "starts_at"}
    for method, path, wrap, name, right in tried:
        for wrong in [*misspelt(right), *([right, 2.0, True] if right == "2" else [2, "2"])]:
            answer = insider(method, path, wrap({name: wrong}))
            assert answer.status_code == 422, (path, name, wrong)
            assert any(field.endswith(name) for field in fields(answer)), (path, name, wrong)


def test_only_our_own_cursors_are_accepted(alice, desk, soon):
    booking = book(desk, alice, soon, soon + timedelta(hours=1))
    ask = program(alice).get
    assert ask("/events", {"after": f"{booking.code}.1"}).status_code != 500
    ask("/events")  # gives events their positions
    assert ask("/events", {"after": f"{booking.code}.1"}).status_code == 200
    for wrong in misspelt("1"):
        assert ask("/events", {"after": f"{booking.code}.{wrong}"}).status_code == 422, wrong


# --- Forms

NUMBERS = (forms.IntegerField, forms.FloatField, forms.DecimalField, forms.DurationField)
TIMES = (forms.DateField, forms.TimeField, forms.DateTimeField, forms.SplitDateTimeField)
PICKERS = {"number", "date", "time", "datetime-local", "month", "week"}
AM_AND_PM = {"time", "datetime-local"}
#: Names of text fields for days and times.
CALLED = re.compile("(.*_)?((?<!per_)day|date|time|at|from|to|starts|ends|since|until)")

CALLED_ENDS = re.compile("(closes|ends|until|to)")

RIGHT = {
    "starts_at": "2026-12-01T10:00",
    "ends_at": "2026-12-01T12:00",
    "date": "2026-12-01",
    "day": "2026-12-01",
    "first_day": "2026-12-01",
    "last_day": "2026-12-02",
    "from": "10:00",
    "to": "12:00",
    "starts": "10:00",
    "ends": "12:00",
}


def subclasses(parent):
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def our_forms():
    """Yield all our forms; those that the admin adapts, as adapted."""
    _ = get_resolver().url_patterns  # everything is loaded
    adapted = {model_admin.form for model_admin in admin.site._registry.values()}
    for form in set(subclasses(forms.BaseForm)) - adapted:
        if form.__module__.split(".")[0] in {"accounts", "spaces", "bookings", "notifications"}:
            yield form
    asked = RequestFactory().get("/")
    asked.user = UserFactory.build(is_superuser=True)
    for model_admin in admin.site._registry.values():
        if type(model_admin).__module__.split(".")[0] == "django":
            continue
        if model_admin.has_add_permission(asked) or model_admin.has_change_permission(asked):
            yield model_admin.get_form(asked)
        for inline in model_admin.get_inline_instances(asked):
            yield inline.get_formset(asked).form


def test_every_field_for_a_number_or_a_time_refuses_them():
    tried = set()
    for form in our_forms():
        for name, field in form.base_fields.items():
            if not isinstance(field, NUMBERS + TIMES):
                continue
            tried.add(name)
            is_day = isinstance(field, forms.DateField)
            right = "2" if isinstance(field, NUMBERS) else "2026-12-01" if is_day else "10:00"
            field.clean(right)
            for wrong in misspelt(right):
                with pytest.raises(forms.ValidationError):
                    field.clean(wrong)
    assert tried >= {"party_size", "number", "capacity", "max_upcoming", "opens_at", "closes_at"}


@pytest.fixture
def makers(space, desk):
    """Return how forms with days or times as text are filled in, by what they have of them."""
    places = Place.objects.all()
    venue = setups.current(space.pk).venue((), timezone.now())
    return {
        TimesForm: lambda data: TimesForm({**data, "place": desk.code}),
        BookForm: lambda data: BookForm({**data, "place": desk.code}),
        PartyForm: lambda data: PartyForm({**data, "space": space.slug}),
        StaffBookForm: lambda data: StaffBookForm(
            {**data, "place": str(desk.code), "guest_name": "Ivan", "party_size": "1"},
            places=places,
        ),
        EditForm: lambda data: EditForm(
            {**data, "place": str(desk.code), "guest_name": "Ivan", "party_size": "1"},
            setup=setups.current(space.pk),
            booking=Booking(place=desk, starts_at=timezone.now(), ends_at=timezone.now()),
        ),
        CloseForm: lambda data: CloseForm(
            {**data, "what": "space loft", "reason": "Repairs"},
            spaces=Space.objects.all(),
            now=timezone.now(),
        ),
        SearchForm: lambda data: searched(venue, data),
    }


MADE_LATER = {SearchForm: {"from", "to"}}


def forms_with_texts():
    """Yield each form with days or times as text, and a right value of each of those fields."""
    for form in set(our_forms()):
        texts = {
            name
            for name, field in form.base_fields.items()
            if isinstance(field, forms.CharField)
            and (CALLED.fullmatch(name) or getattr(field.widget, "input_type", "") in PICKERS)
        } | MADE_LATER.get(form, set())
        if texts:
            yield form, {name: RIGHT[name] for name in texts}


def test_every_form_with_days_or_times_as_text_refuses_them(makers):
    for form, right in forms_with_texts():
        assert form in makers, f"{form} has {set(right)}: say how it is filled in"
        assert makers[form](right).is_valid(), (form, makers[form](right).errors)
        for name in right:
            for wrong in misspelt(right[name]):
                assert not makers[form]({**right, name: wrong}).is_valid(), (form, name, wrong)


def test_every_end_in_a_form_may_be_24_00(makers):
    tried = set()
    for form, right in forms_with_texts():
        for name in {"to", "ends", "ends_at"} & set(right):
            made = makers[form]({**right, name: right[name].replace("12:00", "24:00")})
            assert made.is_valid(), (form, name, made.errors)
            tried.add(form)
    assert tried == set(makers)
    for form in our_forms():
        for name, field in form.base_fields.items():
            if isinstance(field, forms.TimeField) and CALLED_ENDS.match(name):
                assert field.clean("24:00") == time(0), (form, name)


def test_no_control_shows_am_and_pm():
    """Browsers do that in their own controls for times, by their own language."""
    widgets = [field.widget for form in our_forms() for field in form.base_fields.values()]
    assert {widget.__class__ for widget in widgets} >= {ClockInput, DayInput}
    assert {getattr(widget, "input_type", "") for widget in widgets}.isdisjoint(AM_AND_PM)
    for page in Path("templates").rglob("*.html"):
        assert not re.search(f'type="({"|".join(AM_AND_PM)})"', page.read_text()), page


def searched(venue, data):
    query = QueryDict(mutable=True)
    query.update(data)
    limits = venue.limits(Place.Kind.DESK)
    _search, form = searching.read(query, venue=venue, limits=limits, now=timezone.now())
    return form


def test_the_forms_of_places_and_hours_are_among_them():
    made = list(our_forms())
    assert {GeneratePlacesForm, SearchForm, StaffBookForm} <= set(made)
    for name in ("reminder_hours", "number", "opens_at", "max_upcoming"):
        assert any(name in form.base_fields for form in made), name


# --- Addresses of pages


@pytest.mark.parametrize("name", ["date", "from", "to", "party"])
def test_the_boards_url(client, space, name):
    right = {**RIGHT, "party": "1"}[name]
    for wrong in misspelt(right):
        page = client.get("/spaces/loft/", {name: wrong})
        assert page.status_code == 200
        assert page.context["form"].errors, wrong


def test_a_board_url_with_a_literal_plus(client, space):
    page = client.get("/spaces/loft/?party=+5")
    assert page.context["form"].errors == {"party": ["Write a whole number in digits, such as 4."]}


def test_the_day_and_the_page_of_a_list_in_the_admin(client, host):
    client.force_login(host)
    address = "/admin/bookings/booking/"
    for wrong in misspelt("2026-11-25"):
        page = client.get(address, {"day": wrong}, follow=True)
        assert "This is not a date: write it like 2026-11-25." in page.text, wrong
    for wrong in misspelt("1"):
        assert client.get(address, {"p": wrong}).status_code == 400, wrong


# --- Files


def test_every_number_day_and_time_in_a_file(space, alice):
    right = {
        "space": "loft",
        "place": "1",
        "starts_at": "2033-03-14T10:00",
        "ends_at": "2033-03-14T12:00",
        "party_size": "1",
        "member": "alice",
    }
    spoilt = [
        {**right, name: wrong}
        for name in ("place", "starts_at", "ends_at", "party_size")
        for wrong in misspelt(right[name], blanks=False)
    ]
    lines = [",".join(row.values()) for row in [*spoilt, right]]
    asked = list(request(read("\n".join([",".join(right), *lines]).encode()), by=None))
    assert [e.line.number for e in asked if e.problems] == list(range(2, len(spoilt) + 2))
    assert {p.code for e in asked for p in e.problems} == {"invalid"}
    assert Booking.objects.count() == 1
