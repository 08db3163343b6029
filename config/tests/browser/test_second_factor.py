"""Signing in with an app's code, a recovery code and a passkey, as people do it in a browser."""

from base64 import b32decode

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from accounts.factories import PASSWORD
from accounts.models import User
from accounts.second import totp
from accounts.tests.oidc_provider import running, settings_for
from config.tests.browser.inspection import NARROW, WIDE, foreign_words, misfits, violations
from config.tests.browser.person import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FACTORS, SECOND = "/accounts/factors/", "/accounts/login/second/"


@pytest.fixture(params=["desk", "phone"])
def member(request, person):
    """Somebody at a desk, in English, or on a phone, in Russian and in the dark."""
    return person(PHONE, "ru") if request.param == "phone" else person()


def is_fine(someone):
    """Check what is shown."""
    someone.page.wait_for_load_state()
    if someone.is_on_phone:
        wrong = [*violations(someone.page, NARROW, "dark"), *foreign_words(someone.page)]
    else:
        wrong = violations(someone.page, WIDE, "light")
    was = someone.page.viewport_size
    wrong += misfits(someone.page, NARROW)
    someone.page.set_viewport_size(was)
    assert wrong == []


def give_passwords(person, path="/accounts/login/"):
    person.open(path)
    person.fill(username="alice", password=PASSWORD)
    person.submit()
    person.expect_path(SECOND)


def sign_out(person):
    with person.page.expect_navigation():
        person.press("form[action='/accounts/logout/'] button")
    person.expect_path("/$")


def code_of(key, later=0):
    return totp.code_at(key, totp.step_at(timezone.now()) + later)


def test_an_app_and_a_recovery_code(member, alice):
    member.sign_in(alice)
    member.open(FACTORS)
    is_fine(member)
    member.follow(FACTORS + "app/")
    expect(member.page.locator(".qr svg")).to_be_visible()
    is_fine(member)
    typed = member.page.locator(".key").inner_text().replace(" ", "")
    key = b32decode(typed)
    member.fill(passcode=code_of(key))
    member.submit()
    codes = member.page.locator("#text").input_value().split()
    assert len(codes) == 10
    is_fine(member)
    with member.page.expect_download() as download:
        member.press("a[download]")
    assert download.value.path().read_text().split() == codes

    sign_out(member)
    give_passwords(member)
    is_fine(member)
    member.fill(passcode=code_of(key, later=1))
    member.submit()
    member.open(FACTORS)
    sign_out(member)
    give_passwords(member)
    member.fill(passcode=codes[0])
    member.submit()
    member.expect_path("/$")
    sign_out(member)
    give_passwords(member)
    member.fill(passcode=codes[0])
    member.submit()
    expect(member.page.locator("main [role=alert]").first).to_be_visible()
    member.fill(passcode=codes[1])
    member.submit()
    member.expect_path("/$")


def device_of(person):
    """Give the browser a device that makes passkeys, and a finger that is always there."""
    session = person.page.context.new_cdp_session(person.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_alone_after_the_password_and_when_asked_again(member, alice):
    device_of(member)
    member.sign_in(alice)
    member.open(FACTORS)
    member.follow(FACTORS + "passkeys/")
    is_fine(member)
    member.fill(name="Телефон")
    member.submit()
    assert len(member.page.locator("#text").input_value().split()) == 10
    member.open(FACTORS)
    expect(member.page.get_by_text("Телефон").first).to_be_visible()
    is_fine(member)
    member.press("a[href$='/name/']")
    is_fine(member)
    member.fill(name="Ноутбук")
    member.submit()
    expect(member.page.get_by_text("Ноутбук").first).to_be_visible()

    sign_out(member)
    member.open("/accounts/login/?next=/bookings/history/")
    is_fine(member)
    member.submit("form[data-passkey]")
    member.expect_path("/bookings/history/")
    sign_out(member)
    give_passwords(member)
    member.submit("form[data-passkey]")
    member.expect_path("/$")

    member.open("/accounts/sure/?next=/accounts/factors/codes/")
    is_fine(member)
    member.submit("form[data-passkey]")
    member.expect_path("/accounts/factors/codes/")
    assert alice.passkeys.get().last_used_at is not None


def test_a_providers_account_is_linked_by_the_password_and_then_signs_in(
    member, person, alice, live_server, settings
):
    User.objects.update(email="alice@example.org", email_confirmed_at=timezone.now())
    settings.SITE_URL = live_server.url
    cache.clear()
    with running() as provider:
        settings.OIDC = settings_for(provider, name="Единый вход")
        member.open("/accounts/login/?next=/bookings/")
        is_fine(member)
        member.press("a[href^='/accounts/oidc/']")
        member.fill(username="alice", password=PASSWORD)
        member.submit()
        member.expect_path("/accounts/oidc/link/")
        is_fine(member)
        member.submit()
        member.expect_path(FACTORS)
        is_fine(member)
        sign_out(member)
        other = person()
        other.open("/accounts/login/?next=/bookings/")
        other.press("a[href^='/accounts/oidc/']")
        other.expect_path("/bookings/")
        other.open("/accounts/sessions/")
        is_fine(other)
        other.open("/accounts/oidc/back/?state=x")
        is_fine(other)
