"""What changes habits can be switched off while the site runs."""

import re
import time
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from accounts import flags
from accounts.flags import FeatureFlag, Flag, remembered
from accounts.joining import AuditEntry
from bookings.tests.acts import book, hours

DAY = "/staff/loft/"
HTMX = {"HX-Request": "true"}


def switched(flag, active):
    """Switch it as another process does; this one hears of it when its memory is over."""
    FeatureFlag.objects.filter(name=flag).update(active=active)
    remembered.forget()


@pytest.fixture(autouse=True)
def rows(db):
    """What the migration makes; a test that commits leaves an empty database behind."""
    import_module("accounts.migrations.0020_feature_flags_are_on").switch_on(apps, None)


def row(flag):
    return FeatureFlag.objects.get(name=flag)


@pytest.mark.django_db
def test_all_are_on_at_first_and_have_a_row_and_words():
    remembered.forget()
    assert {row.name: row.active for row in FeatureFlag.objects.all()} == dict.fromkeys(Flag, True)
    assert flags.WORDS.keys() == set(Flag)
    assert all(flags.is_on(flag) for flag in Flag)


@pytest.mark.django_db
def test_what_has_no_row_is_on():
    FeatureFlag.objects.all().delete()
    remembered.forget()
    assert flags.is_on(Flag.LIVE_BOARD)


@pytest.mark.django_db
def test_a_process_asks_once_and_remembers_for_a_bounded_time(django_assert_num_queries):
    remembered.forget()
    with django_assert_num_queries(1):
        assert all(flags.is_on(flag) for flag in [*Flag] * 5)
    assert remembered.until <= time.monotonic() + settings.FLAG_SECONDS


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["admin", "command"])
def test_a_superuser_or_a_command_switches_one_off(client, boss, manage, way):
    if way == "command":
        assert manage("waffle_switch", Flag.LIVE_BOARD, "off").wait() == 0
        remembered.forget()
        entry = AuditEntry.objects.get()
        assert (entry.kind, entry.actor) == (AuditEntry.Kind.CHANGED, None)
        assert entry.what == "command:waffle_switch live_board off"
    else:
        client.force_login(boss)
        address = f"/admin/accounts/featureflag/{row(Flag.LIVE_BOARD).pk}/change/"
        assert flags.is_on(Flag.LIVE_BOARD)
        assert client.post(address, {"note": ""}).status_code == 302
        entry = AuditEntry.objects.get(kind=AuditEntry.Kind.CHANGED)
        assert entry.actor == boss
        assert "Feature flags" in client.get("/staff/setup/audit/").text
    assert not flags.is_on(Flag.LIVE_BOARD)
    assert flags.is_on(Flag.RECOMMENDATIONS)


@pytest.mark.django_db
@pytest.mark.any_database
def test_a_command_that_deletes_a_row_is_noted_and_one_that_only_looks_is_not():
    call_command("waffle_switch", "--list")
    assert not AuditEntry.objects.exists()
    call_command("waffle_delete", "--switches", "live_board")
    assert AuditEntry.objects.get().what == "command:waffle_delete live_board"


@pytest.mark.django_db
@pytest.mark.any_database
def test_only_superusers_see_them_and_none_is_added_or_deleted(client, manager, boss):
    client.force_login(manager)
    assert client.get("/admin/accounts/featureflag/").status_code == 403
    client.force_login(boss)
    text = client.get("/admin/accounts/featureflag/").text
    assert "Live board" in text
    assert "Recommendations" in text
    assert client.get("/admin/accounts/featureflag/add/").status_code == 403
    delete = f"/admin/accounts/featureflag/{row(Flag.LIVE_BOARD).pk}/delete/"
    assert client.get(delete).status_code == 403


@pytest.mark.django_db
@pytest.mark.any_database
@pytest.mark.parametrize("page", [DAY, "/staff/loft/waiting/"])
def test_without_the_live_board_open_pages_stop_asking(client, space, host, page):
    client.force_login(host)
    text = client.get(page).text
    assert 'hx-trigger="every 2s"' in text
    seen = {"seen": re.search(r'name="seen" value="(.*?)"', text)[1]}
    assert client.get(page, seen, headers=HTMX).status_code == 204
    switched(Flag.LIVE_BOARD, False)
    last = client.get(page, seen, headers=HTMX)
    assert last.status_code == 200
    assert 'hx-trigger="none"' in last.text
    assert "every 2s" not in client.get(page).text


@pytest.mark.django_db
@pytest.mark.any_database
def test_without_recommendations_nothing_is_suggested(client, space, alice, bob, soon):
    for place in space.places.all():
        book(place, bob, soon - hours(24), soon + hours(1))
    board = f"/spaces/loft/?date={soon:%Y-%m-%d}&from=10:00&to=12:00"
    desk = space.places.first()
    at = f"{soon + hours(1):%Y-%m-%dT%H:%M}", f"{soon + hours(2):%Y-%m-%dT%H:%M}"
    form = {"place": desk.code, "starts_at": at[0], "ends_at": at[1], "party_size": "1"}
    client.force_login(alice)
    page, refused = client.get(board), client.post("/bookings/", form)
    assert (page.text.count("10:00–11:00: 3 places"), refused.status_code) == (1, 409)
    assert refused.context["offers"]
    switched(Flag.RECOMMENDATIONS, False)
    page, refused = client.get(board), client.post("/bookings/", form)
    assert "10:00–11:00: 3 places" not in page.text
    assert "First free" in page.text  # is no guess
    assert (refused.status_code, refused.context["offers"]) == (409, [])
