"""What only managers do: read the audit without a mouse, and set up how guests are seated."""

import pytest
from django.urls import reverse

from accounts.joining import AuditEntry
from accounts.models import User
from bookings.tests.acts import book, hours
from config.tests.browser.inspection import NARROW, WIDE, misfits, violations
from config.tests.browser.person import DESKTOP, PHONE
from config.tests.browser.test_keyboard import press, tab_to
from spaces.factories import PlaceFactory, ShiftFactory, TurnTimeFactory
from spaces.models import Shift

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EACH = pytest.mark.parametrize(
    ("device", "language"),
    [pytest.param(PHONE, "ru", id="phone"), pytest.param(DESKTOP, "en", id="desktop")],
)


@pytest.fixture
def coming(person, manager):
    def come(device, language):
        User.objects.filter(pk=manager.pk).update(language=language)
        someone = person(device, language)
        someone.sign_in(manager)
        return someone

    return come


def wrong(someone):
    """Return what is wrong with a page, on a phone and a desk, in light and dark colours."""
    someone.page.wait_for_load_state()
    size = someone.page.viewport_size
    found = [
        trouble
        for each in (NARROW, WIDE)
        for trouble in (
            *misfits(someone.page, each),
            *violations(someone.page, each, "light"),
            *violations(someone.page, each, "dark"),
        )
    ]
    someone.page.set_viewport_size(size)
    return found


@EACH
def test_the_audit_is_filtered_and_saved_by_keyboard(
    coming, space, desk, alice, host, manager, soon, device, language
):
    book(desk, alice, soon - hours(24), soon, by=host)
    someone = coming(device, language)
    someone.open(reverse("staff_rule", args=[space.slug, 0]))
    someone.open(reverse("staff_audit", args=[space.slug]))
    assert wrong(someone) == []
    tab_to(someone, "#topic")
    press(someone, "End")  # bookings, the last of the topics
    tab_to(someone, ".filters button")
    press(someone, "Enter")
    someone.expect_path(rf"/staff/{space.slug}/audit/\?topic=bookings")
    assert someone.page.locator(".audit li").count() == 1
    assert wrong(someone) == []
    tab_to(someone, "a[download]")
    with someone.page.expect_download() as saving:
        press(someone, "Enter")
    assert saving.value.suggested_filename == f"{space.slug}-audit.csv"
    rows = saving.value.path().read_text("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "hanna" in rows[1]


@EACH
def test_a_shift_is_set_up_on_pages_that_suit_everybody(coming, inn, manager, device, language):
    ShiftFactory.create(space=inn, name="Evening")
    TurnTimeFactory.create(space=inn, from_party=1, minutes=90)
    whole = PlaceFactory.create(space=inn, number=9, kind="TABLE", capacity=8)
    whole.parts.set(inn.places.filter(number__in=[1, 2]))
    manager.staff_roles.create(space=inn, role="MANAGER")
    someone, found = coming(device, language), {}
    for name, args in [
        ("staff_seating", []),
        ("staff_shift", [1]),
        ("staff_turns", []),
        ("staff_combination_new", []),
        ("staff_combination", [whole.code]),
        ("staff_shift", [0]),
    ]:
        someone.open(reverse(name, args=[inn.slug, *args]))
        assert someone.status == 200
        if trouble := wrong(someone):
            found[name, *args] = trouble
    assert found == {}
    someone.fill(name="Lunch", first_seating="12:00", last_seating="14:00")
    someone.page.locator("main [name=weekdays]").first.check()
    someone.submit()
    someone.expect_path(reverse("staff_seating", args=[inn.slug]))
    someone.see("text=Lunch")
    assert Shift.objects.filter(space=inn, name="Lunch").count() == 1
    entry = AuditEntry.objects.get(kind=AuditEntry.Kind.CHANGED)
    assert (entry.actor, entry.space_id, entry.what) == (manager, inn.pk, "staff_shift 0")
