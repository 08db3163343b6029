"""The audit: who did what, when and from where; by whom it is seen, and for how long."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.factories import PASSWORD, StaffRoleFactory, UserFactory
from accounts.joining import AuditEntry
from accounts.second import services as second
from accounts.tests.second_factor import app_of
from bookings.models import BookingEvent
from bookings.tests.acts import book, hours
from spaces.factories import ClosureFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def an_hour_later(clock):
    clock.now = WHEN + timedelta(hours=1)


KINDS = AuditEntry.Kind


def signed_in(user):
    client = Client(REMOTE_ADDR="203.0.113.77")
    client.force_login(user, backend="config.auth.Backend")
    return client


def kinds():
    return list(AuditEntry.objects.order_by("pk").values_list("kind", flat=True))


def test_signing_in_wrongly_rightly_and_out(alice):
    client = Client(REMOTE_ADDR="203.0.113.77")
    for password in ("wrong", PASSWORD):
        client.post("/accounts/login/", {"username": "alice", "password": password})
    client.post("/accounts/logout/")
    assert kinds() == [KINDS.REFUSED, KINDS.SIGNED_IN, KINDS.SIGNED_OUT]
    assert {each.actor for each in AuditEntry.objects.all()} == {alice}
    assert {each.address for each in AuditEntry.objects.all()} == {"203.0.113.0"}


def test_what_is_no_login_is_not_written_down():
    Client().post("/accounts/login/", {"username": "My-Pa55word!", "password": "wrong"})
    assert kinds() == []


@pytest.mark.parametrize(
    ("setting", "ipv4", "ipv6"),
    [
        ("whole", "203.0.113.77", "2001:db8:1:2::"),
        ("network", "203.0.113.0", "2001:db8:1::"),
        ("none", "", ""),
    ],
)
def test_addresses_are_shortened_as_the_setting_says(settings, setting, ipv4, ipv6):
    settings.AUDIT = {**settings.AUDIT, "addresses": setting}
    assert audit.shortened("203.0.113.77") == ipv4
    assert audit.shortened("2001:db8:1:2::") == ipv6


def test_a_changed_set_up_on_a_page(space, manager):
    address = f"/staff/{space.slug}/holidays/"
    fields = {"act": "yearly", "day": "1", "month": "6", "days": "1", "reason": "Secret words"}
    assert signed_in(manager).post(address, fields).status_code == 302
    entry = AuditEntry.objects.get(kind=KINDS.CHANGED)
    assert (entry.actor, entry.space_id, entry.what) == (manager, space.pk, "staff_holidays")


def test_a_form_that_was_refused_changes_nothing(space, manager):
    signed_in(manager).post(f"/staff/{space.slug}/holidays/", {"act": "yearly", "day": "99"})
    assert KINDS.CHANGED not in kinds()


def test_a_changed_and_a_deleted_row_in_the_admin(space, manager):
    closure = ClosureFactory.create(space=space, starts_at=WHEN + hours(48))
    client = signed_in(manager)
    address = f"/admin/spaces/closure/{closure.pk}/delete/"
    assert client.post(address, {"post": "yes"}).status_code == 302
    entry = AuditEntry.objects.get(kind=KINDS.CHANGED)
    assert entry.space_id == space.pk
    assert entry.what == f"admin:spaces_closure_delete {closure.pk}"


@pytest.fixture
def happened(space, desk, alice, host, manager):
    """Something of each kind, here and elsewhere."""
    away = open_space(slug="away", name="Away", places=1)
    other = StaffRoleFactory.create(user__username="olga", space=away, role="MANAGER").user
    book(desk, alice, WHEN, WHEN + hours(24), by=alice)
    book(away.places.get(), None, WHEN, WHEN + hours(24), by=other, guest_name="Zed of Away")
    for person in (host, other, alice):
        audit.write(KINDS.SIGNED_IN, actor=person, now=WHEN)
    audit.write(KINDS.CHANGED, actor=manager, space=space.pk, what="staff_rule 1", now=WHEN)
    audit.write(KINDS.CHANGED, actor=other, space=away.pk, what="staff_doors", now=WHEN)
    signed_in(manager).post(
        f"/staff/{space.slug}/people/", {"email": "vera@example.org", "role": "HOST"}
    )
    return away


def test_managers_see_all_kinds_of_their_own_space_only(happened, space, manager):
    page = signed_in(manager).get(f"/staff/{space.slug}/audit/").text
    for told in ("Rules", "vera@example.org", "Desk 1", "igned in", "hanna"):
        assert told in page
    for other in ("Zed", "olga", "set-up: Screens"):
        assert other not in page


def test_superusers_see_the_whole_site(happened):
    boss = UserFactory.create(is_superuser=True)
    page = signed_in(boss).get("/staff/setup/audit/").text
    for told in ("Zed of Away", "olga", "vera@example.org"):
        assert told in page


@pytest.mark.parametrize(
    ("query", "told", "silent"),
    [
        ("topic=sign-ins", "igned in", "vera@example.org"),
        ("topic=rights", "vera@example.org", "igned in"),
        ("topic=set-up", "Rules", "vera@example.org"),
        ("topic=bookings", "Desk 1", "vera@example.org"),
        ("q=vera", "vera@example.org", "Desk 1"),
        ("q=HANNA", "igned in", "Desk 1"),
        ("until=2026-11-25&topic=set-up", "Rules", "vera@example.org"),
        ("since=2026-11-26&until=2026-11-26", "Nothing like that", "Rules: "),
        ("since=nonsense&topic=set-up", "Rules", "vera@example.org"),
    ],
)
def test_it_is_filtered_and_searched(happened, space, manager, query, told, silent):
    page = signed_in(manager).get(f"/staff/{space.slug}/audit/?{query}").text
    page = page.split("<h1>")[1]
    shown = page.split('class="card entries audit"')[-1] if "entries audit" in page else page
    assert told in shown
    assert silent not in shown


def test_the_last_month_is_shown_until_somebody_asks_for_more(happened, space, manager):
    audit.write(KINDS.CHANGED, space=space.pk, what="long-ago", now=WHEN - timedelta(days=40))
    for query, is_shown in [("", False), ("?since=", True), ("?since=2026-10-01", True)]:
        page = signed_in(manager).get(f"/staff/{space.slug}/audit/{query}").text
        assert ("long-ago" in page) is is_shown, query
        assert "Rules" in page


def test_pages_show_each_line_once_whatever_moment_they_share(space, manager):
    for number in range(120):
        audit.write(KINDS.CHANGED, actor=manager, space=space.pk, what=f"x{number:03}x", now=WHEN)
    client, seen, address = signed_in(manager), [], f"/staff/{space.slug}/audit/?topic=set-up"
    while address:
        page = client.get(address)
        seen += [line.what for line in page.context["lines"]]
        older = page.context["older"]
        address = f"/staff/{space.slug}/audit/{older}" if older else ""
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("after", ["x", "1.2.3", "2026-11-25T12:00:00.1.1", "9" * 400, "a.b.c"])
def test_a_cursor_that_is_none_shows_the_latest(happened, space, manager, after):
    page = signed_in(manager).get(f"/staff/{space.slug}/audit/", {"after": after})
    assert page.status_code == 200


def test_the_file_runs_no_formula(happened, space, desk, manager, host):
    event = BookingEvent.objects.filter(booking__place=desk).latest("pk")
    person = event.actor
    type(person).objects.filter(pk=person.pk).update(name="=cmd|calc")
    answer = signed_in(manager).get(f"/staff/{space.slug}/audit.csv?topic=bookings")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["When", "Who", "What", "From where"]
    assert "'=cmd|calc" in {row[1] for row in rows}
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_lines_are_forgotten_after_the_time_that_is_set(settings, space, capsys):
    now = timezone.now()
    audit.write(KINDS.CHANGED, space=space.pk, now=now - timedelta(days=366))
    audit.write(KINDS.CHANGED, space=space.pk, now=now - timedelta(days=364))
    settings.AUDIT = {**settings.AUDIT, "retention_days": 0}
    call_command("forget_old")
    assert AuditEntry.objects.count() == 2
    settings.AUDIT = {**settings.AUDIT, "retention_days": 365}
    call_command("forget_old")
    assert AuditEntry.objects.count() == 1


def test_notes_are_forgotten_after_the_time_that_is_set(settings, desk, alice, soon):
    booking = book(desk, alice, timezone.now(), soon, note="Zqnote")
    type(booking).objects.filter(pk=booking.pk).update(
        starts_at=booking.starts_at - hours(24 * 100), ends_at=booking.ends_at - hours(24 * 100)
    )
    settings.NOTES_RETENTION_DAYS = 100
    call_command("forget_old")
    booking.refresh_from_db()
    assert booking.note == "Zqnote"
    settings.NOTES_RETENTION_DAYS = 90
    call_command("forget_old")
    booking.refresh_from_db()
    assert booking.note == ""
    assert "Zqnote" not in str(list(booking.events.values_list("data", flat=True)))


def test_factors_of_the_staff_are_on_the_page_and_in_the_file(space, host, manager, alice, inn):
    other = StaffRoleFactory.create(user__username="olga", space=inn).user
    for someone in (host, alice, other):
        app_of(someone, now=WHEN)
    second.reset(host, by=None, now=WHEN)
    client = signed_in(manager)
    file = client.get("/staff/loft/audit.csv?topic=sign-ins").text
    rows = [(row[1], row[2]) for row in csv.reader(io.StringIO(file)) if "sign" not in row[2]]
    taken = "All taken away by the operator: hanna"
    assert [row for row in rows if "app" in row[1] or "taken" in row[1]] == [
        ("The house", taken),
        ("hanna", "Authenticator app set up"),
    ]
    page = client.get("/staff/loft/audit/").text
    assert taken in page
    assert client.get("/staff/loft/audit/?topic=bookings").text.count("taken away") == 0


@pytest.mark.parametrize("number", ["²", "٣", "9" * 30, "\x00"])
def test_what_looks_like_a_number_names_no_space(admin_client, number):
    sent = {"space": number, "_selected_action": number, "action": "delete_selected"}
    for address in ("add/", f"{number.replace(chr(0), '')}/change/", ""):
        answer = admin_client.post(f"/admin/spaces/closure/{address}", sent)
        assert answer.status_code < 500, address
