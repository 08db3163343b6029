"""A space's phone and e-mail: what they may be, and that every "ask the staff" names them."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.contact import ask_the_staff, links
from spaces.factories import PolicyFactory, SpaceFactory
from spaces.models import Space
from spaces.validators import validate_phone

pytestmark = pytest.mark.any_database

PHONE, EMAIL = "+44 20 7946 0018", "desk@loft.example"
SHOWN = (f'<a class="whole" href="tel:+442079460018">{PHONE}</a>', f'href="mailto:{EMAIL}"')


@pytest.fixture
def space(space):
    Space.objects.update(phone=PHONE, email=EMAIL)
    space.refresh_from_db()
    return space


# --- What they may be


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        (PHONE, "tel:+442079460018"),
        ("8 (495) 555-01-23", "tel:84955550123"),
        ("+7 495 555-01-23, доб. 12", "tel:+74955550123;ext=12"),
        ("(030) 1234/56 x9", "tel:030123456;ext=9"),
        ("112", "tel:112"),
    ],
)
def test_numbers_are_written_for_people_and_dialled_for_phones(number, uri):
    validate_phone(number)
    assert list(links(Space(phone=number))) == [(uri, number)]


@pytest.mark.parametrize(
    "number",
    ["", "1", "call us", "+", "12345678901234567", "１２３４５", "555\n0100", "+1+2345",
     "tel:5550100", '5550100"><b>', "555 0100 or 555 0101"],
)  # fmt: skip
def test_a_number_nobody_can_dial_is_refused(number):
    with pytest.raises(ValidationError):
        validate_phone(number)


@pytest.mark.parametrize("address", ["desk", "desk@", "desk@loft\n.example", "a b@loft.example"])
def test_an_address_nobody_can_write_to_is_refused(address):
    with pytest.raises(ValidationError):
        Space._meta.get_field("email").clean(address, None)


def test_both_are_optional(db):
    bare = SpaceFactory.create()
    bare.full_clean()
    assert ask_the_staff(bare) == "Please ask the staff."


def test_a_manager_sets_them_and_is_told_what_is_wrong(client, manager, space):
    client.force_login(manager)
    path = f"/admin/spaces/space/{space.pk}/change/"
    page = client.get(path)
    shown = page.context["adminform"].form
    assert {"phone", "email"} <= set(shown.fields)
    form = type(shown)({"phone": "by the door", "email": "desk"}, instance=space)
    assert {"phone", "email"} <= set(form.errors)


# --- Where they are shown


def test_programs_see_them(client, space):
    found = client.get("/api/v1/spaces/loft").json()
    assert (found["phone"], found["email"]) == (PHONE, EMAIL)


def assert_shown(page):
    main = page.text.partition("<main")[2].partition("</main>")[0]
    assert [piece for piece in SHOWN if piece not in main] == []


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


def test_on_the_ticket_in_every_state(member, space, desk, alice, soon):
    made = book(desk, alice, soon - hours(72), soon)
    for state in State:
        ends_at = soon if state == State.OFFERED else None
        Booking.objects.update(state=state, checked_in_at=soon, hold_expires_at=ends_at)
        assert_shown(member.get(made.get_absolute_url()))


def test_on_the_ticket_when_it_is_too_late(member, space, desk, alice, soon):
    made = book(desk, alice, soon - hours(72), soon)
    PolicyFactory.create(space=space, cancel_deadline_minutes=7 * 24 * 60)
    page = member.get(made.get_absolute_url())
    assert_shown(page)
    assert "Please ask the staff: <a" in page.text


def test_on_refusals(member, desk, space, bob, soon):
    wish = {"place": desk.code, "starts_at": f"{soon:%Y-%m-%dT%H:%M}", "party_size": 1}
    wish |= {"ends_at": f"{soon + hours(2):%Y-%m-%dT%H:%M}"}
    book(desk, bob, soon - hours(72), soon)
    taken = member.post("/bookings/", wish)
    against_a_rule = member.post("/bookings/", wish | {"party_size": 9})
    assert [taken.status_code, against_a_rule.status_code] == [409, 422]
    assert_shown(taken)
    assert_shown(against_a_rule)


def test_when_nothing_is_free_and_in_the_footer(client, space, soon):
    page = client.get(space.get_absolute_url(), {"date": f"{soon:%Y-%m-%d}", "party": 60})
    assert "Nothing is free" in page.text
    assert_shown(page)
    assert SHOWN[0] in page.text.partition("<footer")[2]


def test_when_no_particular_space_is_meant(client, member, space):
    assert_shown(client.get("/accounts/forgotten/"))
    assert_shown(member.get("/admin/", follow=True))  # 403


def test_a_hidden_spaces_contact_is_not_public(client, space):
    Space.objects.update(is_active=False)
    assert PHONE not in client.get("/accounts/forgotten/").text


def test_many_spaces_are_not_listed(client, space):
    for _ in range(6):
        SpaceFactory.create(phone=PHONE)
    assert PHONE not in client.get("/accounts/forgotten/").text


# --- Everywhere: a new sentence that sends people to the staff has to say how

ASK = re.compile(
    r"\b(ask|call|tell|write to|contact|speak to|turn to)\s+(\w+\s+)?(the staff|whoever)"
)
NAMED_BESIDE = ("{% contact ", "{% ask_the_staff ", '{% include "_staff.html" %}')


def sources(*patterns):
    for pattern in patterns:
        for path in Path(settings.BASE_DIR).glob(pattern):
            if "tests" not in path.parts and path.parts[-2] != "migrations":
                yield path, path.read_text()


def test_every_template_that_sends_people_to_the_staff_says_how():
    asking = {
        path.name: text
        for path, text in sources("templates/**/*.html")
        if ASK.search(text) and "admin" not in path.parts  # those are read by the staff
    }
    assert set(asking) >= {"forgotten.html", "403.html"}
    for text in asking.values():
        assert any(named in text for named in NAMED_BESIDE)


def test_code_sends_people_to_the_staff_in_one_place_only():
    apps = ("accounts", "spaces", "bookings", "notifications", "config")
    found = sources(*(f"{app}/**/*.py" for app in apps))
    assert {
        path.relative_to(settings.BASE_DIR).as_posix()
        for path, text in found
        if re.search(r"""["'][^"'\n]*""" + ASK.pattern, text, re.IGNORECASE)
    } == {"spaces/contact.py", "spaces/templatetags/contact.py"}
