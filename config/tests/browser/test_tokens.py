"""Copying a new API token: with one click, or by selecting it."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts import tokens
from accounts.tests.programs import issue
from config.tests.browser.person import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/accounts/tokens/"


def make_one(member):
    member.open(PAGE)
    member.fill(name="Door tablet")
    member.submit()
    return member.page.locator("#text")


def belongs_to(text):
    return tokens.find(text, now=timezone.now()).user


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_one_click_copies_the_token(person, alice, device):
    member = person(device, permissions=["clipboard-read", "clipboard-write"])
    member.sign_in(alice)
    field = make_one(member)
    expect(member.page.get_by_role("heading", name="“Door tablet” has been made")).to_be_focused()
    member.press("[data-copy]")
    expect(member.page.get_by_text("Copied.")).to_be_visible()
    copied = member.page.evaluate("navigator.clipboard.readText()")
    assert copied == field.input_value()
    assert belongs_to(copied) == alice


def test_without_javascript_people_select_it(person, alice):
    member = person(scripts=False)
    member.sign_in(alice)
    field = make_one(member)
    assert belongs_to(field.input_value()) == alice
    assert not field.is_editable()
    expect(member.page.locator("[data-copy]")).to_be_hidden()


def test_a_reload_makes_no_second_token(person, alice):
    member = person()
    member.sign_in(alice)
    make_one(member)
    member.page.reload()
    expect(member.page.get_by_text("This token has already been made.")).to_be_visible()
    assert alice.api_tokens.count() == 1


def test_a_member_revokes_a_token(person, alice):
    issue(alice, name="Lost tablet")
    member = person(PHONE)
    member.sign_in(alice)
    member.open(PAGE)
    member.follow(f"{PAGE}{alice.api_tokens.get().code}/revoke/")
    member.send()
    expect(member.page.get_by_text("You have no tokens.")).to_be_visible()
