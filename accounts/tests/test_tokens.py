"""A member's API tokens: making, listing, revoking; the admin's list; forgetting."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from accounts import forgetting, services, tokens
from accounts.api import idempotency
from accounts.factories import PASSWORD, UserFactory
from accounts.models import ApiToken, IdempotencyKey, User
from accounts.tests.programs import issue, program
from bookings.tests.crowd import at_once

pytestmark = pytest.mark.any_database

URL = "/accounts/tokens/"
CODE = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"  # nobody's
ADMIN = "/admin/accounts/apitoken/"


def fields(**changes):
    new = {"name": "Tablet", "scope": "READ", "lifetime": "90", "request_key": uuid4()}
    return {**new, **changes}


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def boss(db):
    client = Client()
    client.force_login(UserFactory(username="boss", is_superuser=True))
    return client


def text_in(page):
    return re.search(r'value="(mesto_[\w-]{43})"', page.text)[1]


def words(page):
    return " ".join(unescape(re.sub("<[^>]*>", " ", page.text)).split())


# --- Making one


def test_a_new_token_is_shown_once_and_works(member, alice):
    page = member.post(URL, fields())
    assert page.status_code == 201
    text = text_in(page)
    assert page.text.count(text) == 1
    assert tokens.find(text, now=timezone.now()).user == alice
    assert text not in member.get(URL).text


def test_the_page_with_the_text_is_not_cached(member):
    page = member.post(URL, fields())
    assert "no-store" in page["Cache-Control"]
    assert text_in(page) not in str([session.get_decoded() for session in Session.objects.all()])
    assert text_in(page) not in str([*ApiToken.objects.values_list()])


def test_its_name_scope_and_expiry_are_as_chosen(member, alice):
    member.post(URL, fields(name=" Door ", scope="WRITE", lifetime="30"))
    token = alice.api_tokens.get()
    assert (token.name, token.scope) == ("Door", "WRITE")
    assert token.expires_at == token.created_at + timedelta(days=30)


@pytest.mark.parametrize(("chosen", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_a_token_ends_after_the_chosen_time(member, alice, chosen, days):
    member.post(URL, fields(lifetime=chosen))
    token = alice.api_tokens.get()
    assert (token.expires_at - token.created_at).days == days


def test_a_token_may_never_end(member, alice):
    member.post(URL, fields(lifetime="never"))
    assert alice.api_tokens.get().expires_at is None
    assert "never expires" in words(member.get(URL))


def test_ninety_days_and_read_only_are_the_defaults(member):
    html = member.get(URL).text
    assert '<option value="90" selected>' in html
    assert html.index('value="READ"') < html.index('value="WRITE"')


def test_a_form_sent_again_makes_no_second_token(member, alice):
    form = fields()
    member.post(URL, form)
    again = member.post(URL, form, follow=True)
    assert again.redirect_chain == [(URL, 302)]
    assert "This token has already been made." in words(again)
    assert alice.api_tokens.count() == 1


def test_the_next_form_makes_another(member, alice):
    page = member.post(URL, fields())
    key = re.search(r'name="request_key" value="([\w-]+)"', page.text)[1]
    assert member.post(URL, fields(request_key=key)).status_code == 201
    assert alice.api_tokens.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", "n" * 61),
        ("name", "a\x00"),
        ("scope", ""),
        ("scope", "ADMIN"),
        ("lifetime", ""),
        ("lifetime", "1"),
        ("lifetime", "9" * 5000),
        ("request_key", ""),
        ("request_key", "key"),
    ],
)
def test_a_wrong_value_is_refused_and_the_rest_is_kept(member, field, value):
    page = member.post(URL, fields(**{"name": "Door", "lifetime": "365", field: value}))
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {field}
    assert field == "name" or 'value="Door"' in page.text
    assert field == "lifetime" or '<option value="365" selected>' in page.text
    assert not ApiToken.objects.exists()


def test_html_in_a_name_stays_text(member):
    page = member.post(URL, fields(name="<script>alert(1)</script>"))
    assert "<script>alert" not in page.text
    assert "<script>alert" not in member.get(URL).text


def test_the_fifty_first_token_is_refused_until_one_ends(member, alice):
    for _ in range(tokens.MOST):
        token, _text = issue(alice)
    page = member.post(URL, fields(name="One more"))
    assert page.status_code == 422
    assert "You have 50 tokens. Revoke one that you don’t need." in words(page)
    assert 'value="One more"' in page.text
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert member.post(URL, fields()).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_at_once_gets_the_last_token(alice):
    for _ in range(tokens.MOST - 1):
        issue(alice)
    done = at_once(*[lambda: issue(alice)] * 4)
    assert [type(each) for each in done].count(tokens.TooManyTokens) == 3
    assert alice.api_tokens.count() == tokens.MOST


# --- Seeing them


def test_a_member_without_tokens_is_told_so(member):
    assert "You have no tokens." in words(member.get(URL))


def test_the_list_says_what_each_may_do_and_when_it_was_used(member, alice):
    _token, text = issue(alice, name="Door")
    assert "not used yet" in words(member.get(URL))
    used_at = timezone.now() - timedelta(minutes=5)
    ApiToken.objects.update(last_used_at=used_at)
    page = words(member.get(URL))
    assert f"Door All that I may · ends with {text[-4:]} Made on" in page
    assert "last used: 5 minutes ago" in page


def test_days_are_those_of_the_members_time_zone(member, alice):
    services.change(alice, time_zone="Asia/Tokyo")
    issue(alice)
    ApiToken.objects.update(created_at="2026-11-24T20:00Z", expires_at="2126-12-24T14:59Z")
    page = words(member.get(URL))
    assert "Made on 25 Nov 2026 · expires on 24 Dec 2126" in page


def test_an_expired_token_is_marked(member, alice):
    issue(alice, name="Old", days=-1)
    assert "Old expired" in words(member.get(URL))


def test_the_example_names_the_sites_own_address(member):
    page = member.get(URL, headers={"host": "localhost"})
    assert "Bearer $TOKEN&quot; http://localhost/api/v1/bookings" in page.text.replace(
        '"', "&quot;"
    )


def test_the_profile_leads_here(member):
    assert f'href="{URL}"' in member.get("/accounts/profile/").text


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_takes_three_queries_however_many_tokens(
    member, alice, count, django_assert_num_queries
):
    for number in range(count):
        issue(alice, name=f"Tablet {number}")
    with django_assert_num_queries(3):  # the person, the tokens, the spaces for a new one
        assert member.get(URL).text.count("Tablet ") == 2 * count


# --- Who may


def test_others_see_nothing_of_them(member, bob):
    token, text = issue(bob, name="Secret tablet")
    page = member.get(URL)
    assert "Secret tablet" not in page.text
    assert text[-4:] not in words(page)
    for method in (member.get, member.post):
        assert method(f"{URL}{token.code}/revoke/").status_code == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()


def test_the_key_of_somebody_elses_form_shows_nothing(member, bob):
    token, _ = issue(bob, name="Secret tablet")
    page = member.post(URL, fields(request_key=token.code), follow=True)
    assert "Secret" not in page.text
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("path", [URL, f"{URL}{CODE}/revoke/"])
def test_a_visitor_is_asked_to_sign_in(client, db, path):
    for answer in (client.get(path), client.post(path, fields())):
        assert answer.url == f"/accounts/login/?next={path}"
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(member, alice, method):
    token, _ = issue(alice)
    for path in (URL, f"{URL}{token.code}/revoke/"):
        assert getattr(member, method)(path).status_code == 405
    assert ApiToken.objects.exists()


def test_a_token_opens_no_page(alice):
    _, text = issue(alice)
    assert program(text).get(URL).status_code == 302


def test_a_form_from_another_site_is_refused(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post(URL, fields()).status_code == 403


# --- Revoking


def test_revoking_asks_first(member, alice):
    token, _ = issue(alice, name="Door")
    page = member.get(f"{URL}{token.code}/revoke/")
    assert "Door" in words(page)
    assert ApiToken.objects.exists()


def test_a_revoked_token_is_refused_at_once(member, alice):
    token, text = issue(alice)
    answer = member.post(f"{URL}{token.code}/revoke/")
    assert (answer.status_code, answer.url) == (302, URL)
    assert tokens.find(text, now=timezone.now()) is None
    assert member.post(f"{URL}{token.code}/revoke/").status_code == 404


# --- What else happens to tokens


def test_a_new_password_keeps_tokens_and_says_so(member, alice):
    _, text = issue(alice)
    page = member.get("/accounts/password/").text
    assert "These stay valid: API tokens." in page
    member.post("/accounts/calendar/")
    page = member.get("/accounts/password/").text
    assert "These stay valid: API tokens, calendar addresses." in page
    assert 'href="/accounts/stays/"' in page
    new = "staple of the other horse"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert member.post("/accounts/password/", form).status_code == 302
    assert tokens.find(text, now=timezone.now())


def test_leaving_deletes_tokens_and_keys(member, alice):
    issue(alice)
    now = timezone.now()
    IdempotencyKey.objects.create(user=alice, key="key", created_at=now, started_at=now)
    assert member.post("/accounts/delete/", {"password": PASSWORD}).status_code == 302
    assert not ApiToken.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_person_who_left_gets_no_token(alice):
    services.erase(User.objects.get(pk=alice.pk), now=timezone.now())
    with pytest.raises(PermissionDenied):
        issue(alice)


def test_the_worker_forgets_tokens_that_expired_long_ago(alice, now):
    for days in (-31, -29, 1):
        issue(alice, name=f"{days}", days=days, now=now)
    issue(alice, name="never", expires_at=None, now=now)
    for hours in (25, 23):
        at = now - timedelta(hours=hours)
        IdempotencyKey.objects.create(user=alice, key=hours, created_at=at, started_at=at)
    assert forgetting.forget_old_credentials(now=now) == 2
    assert [token.name for token in alice.api_tokens.order_by("pk")] == ["-29", "1", "never"]
    assert IdempotencyKey.objects.get().created_at > now - idempotency.LIFE


# --- The admin


def test_a_superuser_sees_whose_tokens_there_are(boss, alice):
    token, _ = issue(alice, name="Door")
    page = boss.get(ADMIN)
    assert "alice" in page.text
    assert "Door" in page.text
    assert token.digest not in page.text
    assert token.digest not in boss.get(f"{ADMIN}{token.pk}/change/").text
    assert "Door" not in boss.get(ADMIN, {"q": "bob"}).text


def test_a_superuser_revokes_but_does_not_make_or_change(boss, alice):
    token, _ = issue(alice)
    assert boss.get(f"{ADMIN}add/").status_code == 403
    assert boss.post(f"{ADMIN}{token.pk}/change/", {"name": "Mine"}).status_code == 403
    assert boss.post(f"{ADMIN}{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_a_spaces_staff_see_no_tokens_in_the_admin(client, host, alice):
    token, _ = issue(alice)
    client.force_login(host)
    for path in (ADMIN, f"{ADMIN}{token.pk}/change/", f"{ADMIN}{token.pk}/delete/"):
        assert client.get(path).status_code == 403


def test_the_admins_list_takes_as_many_queries_for_many_tokens_as_for_one(
    boss, django_assert_max_num_queries
):
    issue(UserFactory())
    with django_assert_max_num_queries(20) as one:
        boss.get(ADMIN)
    for _ in range(20):
        issue(UserFactory())
    with django_assert_max_num_queries(len(one)):
        boss.get(ADMIN)
