"""Mesto in Russian, as a person with a Russian browser sees it."""

import ast
import re
from html import unescape

import pytest
from django.apps import apps
from django.contrib import admin
from django.utils import translation
from django.utils.html import strip_tags

from bookings.models import BookingEvent
from scripts import messages
from spaces.factories import open_space

pytestmark = pytest.mark.any_database

RUSSIAN = {"accept-language": "ru"}
OURS = set(messages.PACKAGES)


def told(response):
    """Return a page's text, without tags and source layout."""
    return " ".join(unescape(strip_tags(response.content.decode())).split())


def times(soon, start="10:00", end="12:00"):
    return {"starts_at": f"{soon:%Y-%m-%d}T{start}", "ends_at": f"{soon:%Y-%m-%d}T{end}"}


def book(client, desk, soon, **other):
    data = {"place": desk.code, "party_size": 1, **times(soon), **other}
    return client.post("/bookings/", data, headers=RUSSIAN, follow=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("places", "expected"), [(1, "1 место"), (2, "2 места"), (5, "5 мест"), (21, "21 место")]
)
def test_places_are_counted(client, soon, places, expected):
    board = open_space(places=places).get_absolute_url()
    address = f"{board}?date={soon:%Y-%m-%d}&from=10:00&to=12:00"
    assert f"Свободно 10:00–12:00 · {expected} " in told(client.get(address, headers=RUSSIAN))


def test_weekdays_are_lower_case_and_months_are_declined(client, space):
    page = client.get(f"{space.get_absolute_url()}?date=2026-11-25", headers=RUSSIAN)
    assert "Весь день: ср, 25 ноября" in told(page)


def test_a_booking_is_confirmed(client, alice, desk, soon):
    client.force_login(alice)
    page = told(book(client, desk, soon))
    assert "Подтверждена Стол 1 — за вами." in page
    assert "Оформлена вами" in page


def test_a_refusal_says_every_reason(client, alice, desk, soon):
    client.force_login(alice)
    page = told(book(client, desk, soon, party_size=3, **times(soon, "21:00", "23:00")))
    assert "Стол 1, 21:00–23:00: забронировать не получится." in page
    assert "Стол 1 вмещает не больше 1 человека." in page
    assert "Часы работы в этот день: 8:00–22:00." in page


def test_a_lost_race_is_reported(client, alice, bob, desk, soon):
    client.force_login(bob)
    book(client, desk, soon)
    client.force_login(alice)
    page = told(book(client, desk, soon))
    assert "Кто-то занял это место минуту назад: Стол 1, 10:00–12:00." in page


def test_what_was_done_in_russian_is_reported_to_others_in_their_language(
    client, alice, desk, soon
):
    client.force_login(alice)
    book(client, desk, soon)
    booking = alice.bookings.get()
    there = {"place": desk.space.places.get(number=2).code, **times(soon)}
    client.post(f"/bookings/{booking.code}/reschedule/", there, headers=RUSSIAN)
    page = booking.get_absolute_url()
    assert "before: Desk 1," in told(client.get(page))
    assert "раньше: Стол 1," in told(client.get(page, headers=RUSSIAN))


def test_errors_in_forms_are_russian(client, db):
    data = {"username": "what a name", "password1": "a", "password2": "b"}
    page = told(client.post("/accounts/register/", data, headers=RUSSIAN))
    assert "Проверьте эти поля: Логин Пароль" in page
    assert "В логине бывают только буквы, цифры и знаки @ . + - _" in page


@pytest.mark.parametrize(
    ("profile", "browser", "title"),
    [("ru", "en", "Мои брони"), ("en", "ru", "My bookings"), ("", "ru", "Мои брони")],
)
def test_the_profile_takes_precedence_over_the_browser(client, alice, profile, browser, title):
    alice.language = profile
    alice.save()
    client.force_login(alice)
    page = client.get("/bookings/", headers={"accept-language": browser})
    assert told(page).startswith(f"{title} · Mesto")


def test_the_front_desk_is_russian(client, manager):
    client.force_login(manager)
    page = told(client.get("/admin/", headers=RUSSIAN))
    assert page.startswith("Стойка администратора | Mesto")
    for name in ("Брони", "Закрытия", "Места", "Пространства"):
        assert name in page


def test_our_models_and_their_fields_have_russian_names():
    with translation.override("ru"):
        names = [
            str(name)
            for model, desk in admin.site._registry.items()
            if model._meta.app_label in OURS
            for name in (
                model._meta.verbose_name,
                model._meta.verbose_name_plural,
                model._meta.app_config.verbose_name,
                *(model._meta.get_field(name).verbose_name for name in shown(model, desk)),
            )
        ]
    assert [name for name in names if name.isascii()] == []


def test_the_help_of_our_fields_is_russian():
    with translation.override("ru"):
        helps = [
            f"{model.__name__}.{field.name}: {field.help_text}"
            for model in apps.get_models()
            if model._meta.app_label in OURS
            for field in model._meta.fields
            if field.help_text and str(field.help_text).isascii()
        ]
    assert helps == []


def test_what_happens_to_a_booking_has_its_gender():
    """A booking is a “бронь”: where one word says what happened to it, the word agrees."""
    with translation.override("ru"):
        names = [str(kind.label) for kind in BookingEvent.Kind]
    assert [name for name in names if not re.search(" |(а|тся)$", name)] == []


def shown(model, desk):
    """Return the model fields that its lists show."""
    fields = {field.name for field in model._meta.fields}
    return [name for name in desk.list_display if name in fields]


def test_the_catalogue_is_complete():
    assert list(messages.problems(messages.wanted(), messages.read())) == []


def test_the_catalogue_compiles(tmp_path):
    copy = tmp_path / "django.po"
    copy.write_bytes(messages.CATALOGUE.read_bytes())
    messages.compile_one(copy)
    assert copy.with_suffix(".mo").stat().st_size > 0


def test_messages_are_marked_by_names_that_the_extraction_knows():
    """`gettext_lazy as lazy` would leave its messages out of the catalogue, and English."""
    marks = {"_", *(name for name in dir(translation) if "gettext" in name)}
    unknown = [
        f"{path.name}: {alias.name} as {alias.asname}"
        for path in messages._files("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in marks and (alias.asname or alias.name) not in messages.KEYWORDS
    ]
    assert unknown == []
