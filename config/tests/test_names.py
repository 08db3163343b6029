"""A name of which nothing can be seen is refused: of a person, a space, a place, a guest."""

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import get_resolver

from accounts.letters import is_visible, turns, validate_visible
from bookings.deciding import walk_ins
from bookings.deciding.details import Details, amend
from bookings.deciding.errors import Refused
from bookings.deciding.walk_ins import Seat
from bookings.models import Booking
from bookings.tests.acts import ask, book, hours
from bookings.tests.door import add
from bookings.tests.programs import program, wish
from spaces.models import Closure
from spaces.yearly import YearlyClosure

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

NAMES = {"name", "username", "guest_name"}
#: Names that programs give.
OURS = {"accounts", "spaces", "bookings", "notifications"}
UNSEEN = {
    "zero width": "\u200b\u200d",
    "soft hyphens": "\u00ad\u00ad",
    "right to left": "\u200f",
    "Hangul fillers": "\u3164\u1160\u115f\uffa0",
    "Braille": "\u2800",
    "marks": "\ufe0f\u034f",
    "blanks": "\u00a0\u2003",
}


#: Seen, but not as they are.
TURNING = {
    "embedding": "Ev\u202ail",
    "override": "gnp.\u202eexe",
    "isolate": "\u2067Anna\u2069",
    "left alone": "\u202a+44 Anna\u202c",
}
WRONG = UNSEEN | TURNING


def all_forms(of=forms.BaseForm):
    for each in of.__subclasses__():
        yield each
        yield from all_forms(each)


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_it_is_not_seen(text):
    assert not is_visible(text)


@pytest.mark.parametrize("text", TURNING.values(), ids=TURNING)
def test_it_is_not_seen_as_it_is(text):
    assert turns(text)
    with pytest.raises(ValidationError, match="turns the text around"):
        validate_visible(text)


@pytest.mark.parametrize("text", ["a", "Ж", "的", "ก็", "नि", "7", "—", "😀", "e\u0301", " x "])
def test_it_is_seen(text):
    assert is_visible(text)
    assert not turns(text)


def test_every_name_in_the_database(subtests):
    found = [
        field
        for model in apps.get_models()
        if model._meta.app_label in OURS
        and not model._meta.proxy  # a flag is waffle's, and named by a migration
        for field in model._meta.get_fields()
        if isinstance(field, models.CharField) and field.name in NAMES
    ]
    assert len(found) >= 6
    found += [model._meta.get_field("reason") for model in (Closure, YearlyClosure)]
    for field in found:
        for text in (UNSEEN["Braille"], TURNING["override"]):
            with subtests.test(f"{field} {text!r}"), pytest.raises(ValidationError):
                field.clean(text, None)


def test_every_name_in_a_form(subtests):
    assert get_resolver().url_patterns  # the doors are loaded, and so are their forms
    found = [
        (form, field)
        for form in all_forms()
        if form.__module__.partition(".")[0] in OURS
        for name, field in form.base_fields.items()
        if name in {*NAMES, "reason"} and isinstance(field, forms.CharField)
    ]
    assert len(found) >= 4
    for form, field in found:
        of_model = getattr(form, "_meta", None) and getattr(form._meta, "model", None)
        with subtests.test(f"{form.__module__}.{form.__name__}"):
            assert of_model or signs_in(form) or validate_visible in field.validators


def signs_in(form):
    """Tell whether a name is only looked up."""
    return "password" in form.base_fields and not hasattr(form, "save")


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_nobody_signs_up(client, text):
    page = client.post("/accounts/register/", {"username": text, "password1": "a-long-one-7"})
    assert page.status_code in (200, 422)
    assert "errorlist" in page.text or 'role="alert"' in page.text


def test_a_guest_is_refused_by_every_service(desk, host, now):
    nobody = UNSEEN["zero width"]
    for act in (
        lambda: ask(desk, None, now, by=host, guest_name=nobody),
        lambda: book(desk, None, now, by=host, guest_name=nobody),
    ):
        with pytest.raises(Refused, match="A guest needs a name"):
            act()
    for act in (
        lambda: ask(desk, None, now, by=host, guest_name=TURNING["override"]),
        lambda: book(desk, None, now, by=host, guest_name=TURNING["isolate"]),
        lambda: walk_ins.seat_one_of(
            [Seat(desk, now + hours(3))],
            people=1,
            by=host,
            now=now + hours(2),
            name=TURNING["override"],
        ),
        lambda: add(desk.space, TURNING["override"], by=host, now=now),
    ):
        with pytest.raises(Refused, match="turns the text around"):
            act()
    held = book(desk, None, now, by=host, guest_name="Ivan")
    with pytest.raises(Refused, match="A guest needs a name"):
        amend(held, Details(guest_name=nobody), by=host, now=now)
    with pytest.raises(Refused, match="turns the text around"):
        amend(held, Details(guest_name=TURNING["override"]), by=host, now=now)
    assert Booking.objects.get().guest_name == "Ivan"


def test_a_guest_is_refused_by_the_api(desk, host, soon):
    asking = program(host)
    refused = asking.post("/bookings", wish(desk, soon) | {"guest_name": UNSEEN["Braille"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    made = asking.post("/bookings", wish(desk, soon) | {"guest_name": "Ivan"}).json()
    refused = asking.patch(f"/bookings/{made['code']}", {"guest_name": UNSEEN["marks"]})
    assert refused.status_code == 422
    for name in TURNING.values():
        refused = asking.post("/bookings", wish(desk, soon) | {"guest_name": name})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
        refused = asking.patch(f"/bookings/{made['code']}", {"guest_name": name})
        assert refused.status_code == 422


def test_a_name_from_before_may_stay_when_something_else_changes(desk, host, now):
    held = book(desk, None, now, by=host, guest_name="Ivan")
    Booking.objects.update(guest_name=TURNING["override"])
    held.refresh_from_db()
    assert amend(held, Details(note="By the window"), by=host, now=now).note == "By the window"


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_closure_has_a_reason_that_can_be_read(client, manager, text):
    client.force_login(manager)
    wish = {"act": "yearly", "day": "1", "month": "6", "days": "1", "reason": text}
    page = client.post("/staff/loft/holidays/", wish)
    assert (page.status_code, YearlyClosure.objects.exists()) == (422, False)
