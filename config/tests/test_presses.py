"""No click is lost, at any URL that takes a form, after the session has ended.

The URLs come from the URLconf and the forms from the pages, so new forms are tried too.
"""

import re
from html import unescape

import pytest
from django import forms
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import again, presses
from accounts.factories import PASSWORD
from accounts.models import User
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from config.tests.form_again import Form, as_lists
from config.tests.garbage import PostedForms
from config.tests.test_bad_input import OPEN
from config.tests.walk import (
    every_address,
    rows,  # noqa: F401 - a fixture
    sessions,  # noqa: F401 - a fixture
    undone,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TYPED = [
    ("name", "Ёж & <b>\"quoted\" 'name'</b>"),
    ("note", "two\nlines"),
    ("feature", "monitor"),
    ("feature", "window"),
    ("empty", ""),
    ("_save", "Save"),
]
SECRETS = [("old_password", "lamp-and-window"), ("password", "lamp-and-window")]
SIGNING_IN = {"admin:login", "second", "passkey_sign_in"}


def signed_in(client, login, path):
    """Sign in on the page that a click led to, and go where that leads."""
    return sign_in(client, login, path, client.get(path))


def sign_in(client, login, path, page):
    main = page.text.partition("<main")[2]
    wanted = unescape(re.search(r'name="next" value="([^"]*)"', main)[1])
    sent = {"username": login, "password": PASSWORD, "next": wanted}
    return client.post(path, sent, follow=True)


def every_page(rows, sessions):  # noqa: F811 - a fixture
    for here in every_address(rows, sessions):
        # The admin's sign-in only redirects to ours; the second step is one of signing in.
        if not here.route.startswith("api/") and here.name not in SIGNING_IN:
            yield here


@pytest.mark.any_database
def test_what_was_typed_is_still_there_after_signing_in(rows, sessions, subtests):  # noqa: F811 - a fixture
    logins = {"member": "alice", "boss": "boss"}
    tried = set()
    for here in every_page(rows, sessions):
        with subtests.test(f"{here.name} {here.route}"), undone():
            visitor = Client()
            answer = visitor.post(here.path, as_lists(TYPED + SECRETS), follow=True)
            if not any(hop.startswith("/accounts/login/") for hop, _ in answer.redirect_chain):
                continue
            tried.add(here.name)
            if not here.share([here]):
                continue
            path = answer.redirect_chain[-1][0]
            page = sign_in(visitor, logins[here.insider], path, answer)
            form = Form(page)
            assert form.action == here.path
            assert form.kept == TYPED
            assert form.asked == [("password", "old_password"), ("password", "password")]
            assert "lamp-and-window" not in page.text
            # Once: anyone who comes later wants the page itself.
            later = visitor.get(here.path)
            assert "/accounts/again/" not in later.get("Location", "")
            for session in Session.objects.all():
                assert "lamp-and-window" not in str(session.get_decoded())
    assert tried >= {"bookings", "reschedule", "cancel", "leave", "profile", "tokens", "webhooks"}
    assert tried >= {"admin:spaces_space_change", "admin:spaces_closure_add", "webhook_ping"}


@pytest.mark.any_database
def test_every_real_form_comes_back_as_it_was(rows, sessions, subtests):  # noqa: F811 - a fixture
    tried = set()
    for here in every_page(rows, sessions):
        page = here.come().get(here.path)
        if not page.get("Content-Type", "").startswith("text/html") or page.status_code != 200:
            continue
        for action, fields in PostedForms(page.text).found:
            path = action or here.path
            # A door has neither session nor CSRF token: its address is the key (decision 0022).
            if path in tried or here.name in OPEN | {"door"}:
                continue
            tried.add(path)
            with subtests.test(path), undone():
                session = Client(enforce_csrf_checks=True)
                session.cookies = here.come().cookies
                session.cookies["csrftoken"] = "a" * 32  # from before another sign-in
                sent = as_lists([*fields, ("csrfmiddlewaretoken", "b" * 32)])
                old = session.post(path, sent)
                assert old.status_code == 403
                form = Form(old)
                assert form.action == path
                kept = [field for field in fields if not presses.SECRET.search(field[0])]
                assert sorted(form.kept) == sorted(kept)
                # A delivery that waits is sent “now”, and may have been sent by then.
                if not here.name.startswith("admin:") and here.name != "delivery":
                    assert f">{form.words}" in page.text, "as the button that was pressed"
    assert len(tried) > 30


def test_every_password_of_a_form_is_known_as_a_secret():
    def below(kind):
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    asked = {
        name
        for form in below(forms.BaseForm)
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, forms.PasswordInput)
    }
    assert {"password", "old_password", "new_password1"} <= asked
    assert [name for name in asked if not presses.SECRET.search(name)] == []


# --- The actions themselves


@pytest.fixture
def wish(desk, soon):
    return {
        "place": str(desk.code),
        "starts_at": f"{soon:%Y-%m-%dT%H:%M}",
        "ends_at": f"{soon + hours(2):%Y-%m-%dT%H:%M}",
        "party_size": "1",
        "request_key": "once",
        "note": "By the window, please",
    }


def come_back(path, data, login="alice", **headers):
    """Submit while signed out, sign in, and return the browser and the page it is on."""
    visitor = Client(headers=headers)
    answer = visitor.post(path, data)
    assert answer.url == f"/accounts/login/?next={path}"
    return visitor, signed_in(visitor, login, answer.url)


def test_a_place_is_booked_with_one_click_after_signing_in(alice, wish):
    visitor, page = come_back("/bookings/", wish)
    assert "<li>Desk 1</li>" in page.text
    assert "By the window, please" in page.text
    assert not Booking.objects.exists()
    ticket = Form(page).press(visitor)
    assert "Desk 1 is yours." in ticket.text
    made = Booking.objects.get()
    assert (made.member, made.note, made.request_key) == (alice, wish["note"], "once")


def test_a_booking_is_moved_with_one_click_after_signing_in(alice, desk, soon, wish):
    made = book(desk, alice, soon - hours(72), soon + hours(3))
    visitor, page = come_back(f"{made.get_absolute_url()}reschedule/", wish)
    Form(page).press(visitor)
    made.refresh_from_db()
    assert made.starts_at == soon


def test_a_booking_is_cancelled_with_one_click_after_signing_in(alice, desk, soon):
    made = book(desk, alice, soon - hours(72), soon)
    visitor, page = come_back(f"{made.get_absolute_url()}cancel/", {})
    assert "Cancel the booking" in page.text
    assert "Desk 1" in page.text
    Form(page).press(visitor)
    made.refresh_from_db()
    assert made.state == State.CANCELLED


def test_nobody_is_shown_somebody_elses_booking(alice, bob, desk, soon):
    made = book(desk, alice, soon - hours(72), soon)
    visitor, page = come_back(f"{made.get_absolute_url()}cancel/", {}, login="bob")
    assert "Desk 1" not in page.text
    assert Form(page).press(visitor).status_code == 404


def test_a_password_is_asked_for_again_if_the_action_needs_one(alice):
    visitor, page = come_back(reverse("leave"), {"password": PASSWORD})
    form = Form(page)
    assert form.asked == [("password", "password")]
    assert PASSWORD not in page.text
    assert form.words == "Delete my account"
    assert "Your login, name and e-mail are erased." in page.text
    form.press(visitor, password=PASSWORD)
    assert not User.objects.filter(username="alice").exists()


def test_choices_come_back_in_the_words_of_their_form(alice):
    sent = {"name": "Alice", "language": "ru", "time_zone": "", "theme": "DARK"}
    _, page = come_back(reverse("profile"), sent)
    assert "<li>Name: Alice</li>" in page.text
    assert "<li>Appearance: dark</li>" in page.text
    _, page = come_back(reverse("notifications"), {})
    assert "<li>Remind me of my bookings by mail: no</li>" in page.text


def test_after_signing_in_in_another_tab_it_is_at_the_same_url(alice, wish):
    visitor = Client()
    visitor.post("/bookings/", wish)
    visitor.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    page = visitor.get("/accounts/login/?next=/bookings/", follow=True)
    assert Form(page).kept == list(wish.items())


def test_a_newcomer_may_sign_up_instead(db, wish):
    visitor = Client()
    path = visitor.post("/bookings/", wish).url.replace("login", "register")
    data = {"username": "carol", "password1": PASSWORD, "password2": PASSWORD}
    page = visitor.post(path, data | {"next": "/bookings/"}, follow=True)
    assert Form(page).kept == list(wish.items())


def test_an_ended_session_counts_as_signed_out(client, alice, wish):
    """Deleted on the server while the browser still has its cookie."""
    client.force_login(alice)
    Session.objects.all().delete()
    page = signed_in(client, "alice", client.post("/bookings/", wish).url)
    assert Form(page).kept == list(wish.items())


def test_just_viewing_a_page_forgets_what_was_waiting(alice, wish):
    visitor = Client()
    visitor.post("/bookings/", wish)
    path = visitor.get("/bookings/").url
    assert "My bookings" in signed_in(visitor, "alice", path).text


def test_the_page_can_be_reloaded_but_not_forever(alice, wish):
    visitor, page = come_back("/bookings/", wish)
    path = page.redirect_chain[-1][0]
    assert Form(visitor.get(path)).kept == list(wish.items())
    session = visitor.session
    session["presses"] = {
        key: press | {"at": (timezone.now() - hours(2)).isoformat()}
        for key, press in session["presses"].items()
    }
    session.save()
    assert "too long ago to send again" in visitor.get(path, follow=True).text


def test_two_tabs_lose_neither(alice, wish, soon):
    visitor = Client()
    later = wish | {"starts_at": f"{soon + hours(5):%Y-%m-%dT%H:%M}", "request_key": "twice"}
    later |= {"ends_at": f"{soon + hours(6):%Y-%m-%dT%H:%M}"}
    for sent in (wish, wish, later):  # the first by two presses
        path = visitor.post("/bookings/", sent).url
    page = signed_in(visitor, "alice", path)
    assert Form(page).kept == list(later.items())
    [other] = re.findall(r'<a href="(/accounts/again/[^"]*)">Desk 1, [^<]*10:00–12:00', page.text)
    Form(page).press(visitor)
    page = visitor.get(other)
    assert Form(page).kept == list(wish.items())
    assert "You also sent" not in page.text  # that is done
    Form(page).press(visitor)
    assert Booking.objects.count() == 2
    assert "presses" not in visitor.session or visitor.session["presses"] == {}


# --- Other ways to lose it


def test_htmx_navigates_to_the_sign_in_page(client, space, alice, desk, soon, wish):
    made = book(desk, alice, soon - hours(72), soon)
    headers = {"HX-Request": "true"}
    at = {"HX-Current-URL": f"http://testserver{made.get_absolute_url()}?booked=1"}
    polled = client.get(made.get_absolute_url(), headers=headers | at)
    assert polled.status_code == 200
    assert polled["HX-Redirect"] == (
        f"/accounts/login/?next={made.get_absolute_url().replace('/', '%2F')}%3Fbooked%3D1"
    )
    elsewhere = {"HX-Current-URL": "https://evil.example/"}
    polled = client.get(made.get_absolute_url(), headers=headers | elsewhere)
    assert "evil" not in polled["HX-Redirect"]
    sent = client.post("/bookings/", wish, headers=headers | at)
    page = signed_in(client, "alice", sent["HX-Redirect"])
    assert Form(page).kept == list(wish.items())


@pytest.fixture
def old(client, alice):
    """A browser with a page from before a sign-in in another tab."""
    found = Client(enforce_csrf_checks=True)
    found.force_login(alice)
    found.cookies["csrftoken"] = "a" * 32
    return found


OLD = {"csrfmiddlewaretoken": "b" * 32}


def test_a_form_from_before_a_sign_in_is_submitted_with_one_click(old, wish):
    page = old.post("/bookings/", wish | OLD, headers={"Origin": "http://testserver"})
    assert page.status_code == 403
    assert "no-store" in page["Cache-Control"]
    assert "Desk 1" in page.text
    assert "Desk 1 is yours." in Form(page).press(old).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/page"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
    ],
)
def test_what_another_site_sends_is_not_offered(old, wish, headers):
    page = old.post("/bookings/", wish | OLD, headers=headers)
    assert page.status_code == 403
    assert Form(page).action is None
    assert "Go back, load the page again" in page.text


def test_a_visitor_without_a_cookie_loses_nothing_either(alice, wish):
    visitor = Client(enforce_csrf_checks=True)
    form = Form(visitor.post("/bookings/", wish | OLD))
    assert form.kept == list(wish.items())
    assert form.press(visitor).redirect_chain[-1][0] == "/accounts/login/?next=/bookings/"


def test_nobody_has_to_sign_in_twice(old):
    page = old.post("/accounts/login/?next=/bookings/", {"username": "alice"} | OLD)
    assert page.status_code == 403
    assert "You are already signed in" in page.text
    assert old.get("/accounts/login/?next=/bookings/").url == "/bookings/"


# --- Limits


def test_some_pages_of_text_are_kept_and_more_is_reported_lost(alice):
    long = {"name": "я" * 19_000}
    _, page = come_back("/accounts/profile/", long)
    assert Form(page).kept == [("name", long["name"])]
    _, page = come_back("/accounts/profile/", {"name": "я" * 21_000})
    assert Form(page).action is None
    assert "too long for us to keep" in page.text


def test_a_file_has_to_be_chosen_again(alice, tmp_path):
    (tmp_path / "picture.png").write_bytes(b"PNG")
    with (tmp_path / "picture.png").open("rb") as picture:
        _, page = come_back("/accounts/profile/", {"name": "Alice", "picture": picture})
    form = Form(page)
    assert (form.kept, form.asked) == ([("name", "Alice")], [("file", "picture")])
    assert "Files are not kept" in page.text


def test_a_session_keeps_the_last_few(alice):
    visitor = Client()
    for n in range(9):
        visitor.post("/accounts/profile/", {"name": f"{n}"})
    kept = [press["fields"] for press in visitor.session["presses"].values()]
    assert kept == [[["name", f"{n}"]] for n in (6, 7, 8)]


def test_an_address_may_leave_a_limited_number_per_hour(db, monkeypatch):
    assert again.MOST_OF_AN_ADDRESS == 200
    monkeypatch.setattr(again, "MOST_OF_AN_ADDRESS", 20)
    for n in range(25):
        assert Client().post("/accounts/profile/", {"name": f"{n}"}).status_code == 302
    assert Session.objects.count() == 20


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "/%2f%2fevil.example/"])
def test_no_url_of_another_site_is_kept(client, db, path):
    client.post(path, {"name": "x"})
    assert "presses" not in client.session
