"""Sign-in by OpenID Connect, against a provider that really signs."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.cache import cache
from django.test import Client
from joserfc.jwk import RSAKey

from accounts.factories import PASSWORD, UserFactory
from accounts.factors import FactorEvent, Identity
from accounts.models import User
from accounts.tests.oidc_provider import running, settings_for
from accounts.tests.second_factor import app_of, code

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OIDC, LINK = "/accounts/oidc/", "/accounts/oidc/link/"


@pytest.fixture
def provider(settings):
    cache.clear()
    settings.SITE_URL = "http://testserver"
    with running() as found:
        settings.OIDC = settings_for(found)
        yield found


@pytest.fixture
def anna(db):
    return UserFactory(username="anna", email="alice@example.org")


def go(client, query=""):
    """Go to the provider and come back; return the answer here."""
    there = client.get(OIDC + query)
    assert there.status_code == 302, there.text
    back = urlsplit(httpx.get(there["Location"]).headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def linked(user, provider, subject="1"):
    from django.utils import timezone

    fields = {"issuer": provider.url, "subject": subject, "created_at": timezone.now()}
    return Identity.objects.create(user=user, **fields)


def who(client):
    page = client.get("/accounts/profile/")
    return page.context["user"].username if page.status_code == 200 else None


def test_the_button_is_there_only_with_a_provider(client, provider, settings):
    assert "Sign in with Example ID" in client.get("/accounts/login/?next=/bookings/").text
    settings.OIDC = {**settings.OIDC, "issuer": ""}
    assert "Example ID" not in client.get("/accounts/login/").text
    assert client.get(OIDC).status_code == 404


def test_what_is_sent_along(client, provider):
    there = client.get(OIDC)["Location"]
    query = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{provider.url}/authorize?")
    assert query["redirect_uri"] == ["http://testserver/accounts/oidc/back/"]
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    other = parse_qs(urlsplit(Client().get(OIDC)["Location"]).query)
    for name in ("state", "nonce", "code_challenge"):
        assert query[name] != other[name]


def test_a_linked_account_signs_in_and_goes_where_one_wanted(client, provider, anna):
    linked(anna, provider)
    provider.person = {"sub": "1"}
    assert go(client, "?next=/bookings/")["Location"] == "/bookings/"
    assert who(client) == "anna"


def test_the_address_alone_links_nothing(client, provider, anna):
    """It is confirmed at both, but only the password shows that the account here is theirs too."""
    page = go(client)
    assert page["Location"] == "/accounts/login/?next=%2Faccounts%2Foidc%2Flink%2F"
    assert who(client) is None
    signed_in = {"username": "anna", "password": PASSWORD, "next": LINK}
    assert client.post("/accounts/login/", signed_in)["Location"] == LINK
    assert "alice@example.org" in client.get(LINK).text
    assert not Identity.objects.exists()
    client.post(LINK)
    assert Identity.objects.get().user == anna
    assert FactorEvent.objects.get().kind == "LINKED"
    other = Client()
    go(other)
    assert who(other) == "anna"


@pytest.mark.parametrize("there", [{"email_verified": False}, {"email": "other@example.org"}])
def test_another_or_an_unconfirmed_address_links_nothing(client, provider, anna, there):
    provider.changes = there
    assert go(client).status_code == 403
    client.force_login(anna)
    assert go(client).status_code == 400
    assert client.post(LINK)["Location"] == "/accounts/factors/"
    assert not Identity.objects.exists()


def test_an_address_that_is_not_confirmed_here_links_nothing(client, provider, anna):
    User.objects.update(email_confirmed_at=None)
    assert go(client).status_code == 403
    assert not Identity.objects.exists()


def test_somebody_else_who_signs_in_meanwhile_links_nothing(client, provider, anna, bob):
    go(client)
    client.post("/accounts/login/", {"username": bob.username, "password": PASSWORD})
    assert client.post(LINK).status_code == 403
    assert not Identity.objects.exists()


def test_newcomers_get_an_account_only_where_the_site_wants_that(client, provider, settings):
    assert go(client).status_code == 403
    settings.OIDC = {**settings.OIDC, "provision": True, "domains": ["example.org"]}
    provider.changes = {"preferred_username": "Alice.W", "name": "Alice Wong"}
    assert go(client)["Location"] == "/"
    user = User.objects.get()
    assert (user.username, user.name, user.email) == ("alice.w", "Alice Wong", "alice@example.org")
    assert user.email_confirmed_at is not None
    assert not user.has_usable_password()
    assert who(client) == "alice.w"


def test_a_login_that_is_taken_gets_an_ending(client, provider, settings, alice):
    settings.OIDC = {**settings.OIDC, "provision": True}
    provider.person = {"sub": "9", "email": "alice@example.net", "email_verified": True}
    go(client)
    assert who(client).startswith("alice-")


@pytest.mark.parametrize("email", ["alice@evil.example", "alice@sub.example.org", ""])
def test_other_domains_stay_outside(client, provider, settings, anna, email):
    settings.OIDC = {**settings.OIDC, "provision": True, "domains": ["example.org"]}
    linked(anna, provider)
    provider.changes = {"email": email}
    assert go(client).status_code == 403
    assert who(client) is None


def test_the_second_factor_is_asked_for_all_the_same(client, provider, anna):
    linked(anna, provider)
    key, _codes = app_of(anna)
    page = go(client, "?next=/bookings/")
    assert page["Location"] == "/accounts/login/second/?next=%2Fbookings%2F"
    assert who(client) is None
    client.post(page["Location"], {"passcode": code(key)})
    assert who(client) == "anna"


FORGED = {
    "another site's": {"aud": "other"},
    "several sites'": {"aud": ["mesto", "other"]},
    "another provider's": {"iss": "http://evil.example"},
    "another sign-in's": {"nonce": "other"},
    "an old one": {"exp": 1},
    "one of tomorrow": {"iat": 2**33},
    "one without an end": {"exp": None},
    "nobody's": {"sub": ""},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_a_token_that_cannot_be_believed_signs_nobody_in(client, provider, anna, changes):
    linked(anna, provider)
    provider.changes = changes
    assert go(client).status_code == 502
    assert who(client) is None


def test_a_token_that_another_key_signed_signs_nobody_in(client, provider, anna):
    linked(anna, provider)
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "one", "alg": "RS256"})
    assert go(client).status_code == 502
    assert who(client) is None


def test_coming_back_works_once_and_only_where_it_began(client, provider, anna):
    linked(anna, provider)
    there = client.get(OIDC)["Location"]
    back = urlsplit(httpx.get(there).headers["Location"])
    path = f"{back.path}?{back.query}"
    other = Client()
    assert other.get(path).status_code == 400
    assert who(other) is None
    assert client.get(path.replace("state=", "state=x")).status_code == 400
    assert client.get(path).status_code == 400, "what was begun is used up"


def test_a_provider_that_is_away_is_an_answer(client, provider, settings):
    settings.OIDC = {**settings.OIDC, "issuer": "http://127.0.0.1:9"}
    assert client.get(OIDC).status_code == 502
    settings.OIDC = {**settings.OIDC, "issuer": "http://evil.example"}
    assert client.get(OIDC).status_code == 502, "and never without TLS"


def test_somebody_without_a_password_is_asked_again_there(client, provider, settings, clock):
    settings.OIDC = {**settings.OIDC, "provision": True}
    go(client)
    clock.passes(minutes=11)
    page = client.post("/accounts/factors/codes/", follow=True)
    assert "Say it again with Example ID" in page.text
    provider.changes = {"auth_time": 5}
    assert go(client, "?next=/accounts/tokens/").status_code == 400
    provider.changes = {}
    assert go(client, "?next=/accounts/tokens/")["Location"] == "/accounts/tokens/"
    assert provider.asked[-1]["prompt"] == "login"
    assert client.get("/accounts/factors/app/").status_code == 200


def test_an_account_is_unlinked_if_there_is_another_way_in(client, provider, settings, anna):
    linked(anna, provider)
    client.force_login(anna)
    client.post("/accounts/oidc/unlink/")
    assert not Identity.objects.exists()
    linked(anna, provider)
    anna.set_unusable_password()
    anna.save()
    client.force_login(anna)
    client.post("/accounts/oidc/unlink/")
    assert Identity.objects.exists()


def test_somebody_without_a_password_changes_the_address_and_leaves(
    client, provider, settings, clock
):
    settings.OIDC = {**settings.OIDC, "provision": True}
    go(client)
    assert 'type="password"' not in client.get("/accounts/email/").text
    client.post("/accounts/email/", {"email": "new@example.org"})
    assert User.objects.get().pending_email == "new@example.org"
    clock.passes(minutes=11)
    for page in ("/accounts/email/", "/accounts/delete/"):
        assert client.post(page, {})["Location"].startswith("/accounts/sure/")
    go(client)
    client.post("/accounts/delete/")
    assert User.objects.get().is_erased
    assert not Identity.objects.exists()


def test_somebody_without_a_password_chooses_one(client, provider, settings, clock):
    settings.OIDC = {**settings.OIDC, "provision": True}
    go(client)
    page = client.get("/accounts/password/").text
    assert "You have no password yet" in page
    assert "old_password" not in page
    assert "Change the password" not in page
    assert "Choose a password" in client.get("/accounts/profile/").text
    chosen = {"new_password1": "quiet-otter-4711"}
    clock.passes(minutes=11)
    assert client.post("/accounts/password/", chosen)["Location"].startswith("/accounts/sure/")
    assert not User.objects.get().has_usable_password()
    go(client)
    assert client.post("/accounts/password/", chosen).status_code == 302
    assert User.objects.get().check_password("quiet-otter-4711")
