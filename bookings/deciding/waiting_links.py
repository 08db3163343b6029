"""The link by which a party at the door sees its place in the list, and says yes or no.

Made as guests' links to bookings are: see `bookings.deciding.links`. It lives for a day.
"""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.urls import reverse

from bookings.deciding.links import NONCE_BYTES, digest_of, secret_of
from bookings.waiting import WaitingParty

SALT = "bookings.waiting_links"
LIVES = timedelta(days=1)


def give_link(party: WaitingParty) -> None:
    """Write a new secret's nonce and digest into a row that is still to be saved."""
    party.nonce = token_urlsafe(NONCE_BYTES)
    party.digest = digest_of(token_of(party))


def token_of(party: WaitingParty) -> str:
    """Return the secret in a party's address."""
    return secret_of(party.nonce, salt=SALT)


def path_of(party: WaitingParty) -> str:
    """Return a party's address; another if it was revoked, or if the site's key has changed."""
    if party.revoked_at is not None or party.digest != digest_of(token_of(party)):
        give_link(party)
        party.revoked_at = None
        party.save(update_fields=["nonce", "digest", "revoked_at"])
    return reverse("waiting", args=[token_of(party)])


def find(token: str, *, now: datetime) -> WaitingParty | None:
    """Return whose link it is; None for a wrong, expired or revoked one."""
    found = WaitingParty.objects.filter(digest=digest_of(token), revoked_at=None)
    return found.filter(created_at__gt=now - LIVES).select_related("space").first()


def revoke(party: WaitingParty, *, now: datetime) -> bool:
    """Make a party's link stop working; False if it had none. Later messages have another."""
    return bool(WaitingParty.objects.filter(pk=party.pk, revoked_at=None).update(revoked_at=now))
