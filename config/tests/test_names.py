"""A name of which nothing can be seen is refused: of a person, a space, a place, a guest."""

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import get_resolver

from accounts.letters import is_visible, validate_visible
from bookings.deciding.details import Details, amend
from bookings.deciding.errors import Refused
from bookings.models import Booking
from bookings.tests.acts import ask, book
from bookings.tests.programs import program, wish

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


def all_forms(of=forms.BaseForm):
    for each in of.__subclasses__():
        yield each
        yield from all_forms(each)


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_it_is_not_seen(text):
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", "Ж", "的", "ก็", "नि", "7", "—", "😀", "e\u0301", " x "])
def test_it_is_seen(text):
    assert is_visible(text)


def test_every_name_in_the_database(subtests):
    found = [
        field
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in model._meta.get_fields()
        if isinstance(field, models.CharField) and field.name in NAMES
    ]
    assert len(found) >= 6
    for field in found:
        with subtests.test(str(field)), pytest.raises(ValidationError):
            field.clean(UNSEEN["Braille"], None)


def test_every_name_in_a_form(subtests):
    assert get_resolver().url_patterns  # the doors are loaded, and so are their forms
    found = [
        (form, field)
        for form in all_forms()
        if form.__module__.partition(".")[0] in OURS
        for name, field in form.base_fields.items()
        if name in NAMES and isinstance(field, forms.CharField)
    ]
    assert len(found) >= 4
    for form, field in found:
        of_model = getattr(form, "_meta", None) and getattr(form._meta, "model", None)
        with subtests.test(f"{form.__module__}.{form.__name__}"):
            assert of_model or signs_in(form) or validate_visible in field.validators


def signs_in(form):
    """Tell whether a name is only looked up."""
    return "password" in form.base_fields and not hasattr(form, "save")


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
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
    held = book(desk, None, now, by=host, guest_name="Ivan")
    with pytest.raises(Refused, match="A guest needs a name"):
        amend(held, Details(guest_name=nobody), by=host, now=now)
    assert Booking.objects.get().guest_name == "Ivan"


def test_a_guest_is_refused_by_the_api(desk, host, soon):
    asking = program(host)
    refused = asking.post("/bookings", wish(desk, soon) | {"guest_name": UNSEEN["Braille"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    made = asking.post("/bookings", wish(desk, soon) | {"guest_name": "Ivan"}).json()
    refused = asking.patch(f"/bookings/{made['code']}", {"guest_name": UNSEEN["marks"]})
    assert refused.status_code == 422
