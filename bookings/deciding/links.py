"""The link by which a guest sees and changes one booking: made, found, revoked.

The secret has 256 bits, is signed with the site's key, and isn't stored. A link works until some
time after its booking; a booking that moves takes it along.
"""

import base64
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac

from bookings.guests import GuestLink
from bookings.models import Booking

SALT = "bookings.guest_links"
NONCE_BYTES = 32


def token_of(link: GuestLink) -> str:
    """Return the secret in a link's address."""
    return secret_of(link.nonce, salt=SALT)


def secret_of(nonce: str, *, salt: str) -> str:
    """Return what only this site can make of a nonce."""
    signature = salted_hmac(salt, nonce, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def link_of(booking: Booking, *, now: datetime, language: str = "") -> GuestLink:
    """Return a guest's link to a booking, made if there is none.

    Another is made when the site's key has changed: nobody can repeat the earlier one any more.
    """
    for link in booking.guest_links.open().order_by("-pk"):
        if link.digest == digest_of(token_of(link)):
            return link
    link = GuestLink(
        booking=booking, nonce=token_urlsafe(NONCE_BYTES), language=language, created_at=now
    )
    link.digest = digest_of(token_of(link))
    link.save(force_insert=True)
    return link


def path_of(link: GuestLink) -> str:
    return reverse("guest_booking", args=[token_of(link)])


def find(token: str, *, now: datetime) -> Booking | None:
    """Return the booking that a link opens.

    None for a wrong, expired or revoked one, and once the booking has become a member's.
    """
    links = GuestLink.objects.open().filter(digest=digest_of(token))
    link = links.select_related("booking__place__space").first()
    if link is None or link.booking.member_id is not None:
        return None
    lives = timedelta(days=settings.GUESTS["link_days"])
    return link.booking if now < link.booking.ends_at + lives else None


@transaction.atomic
def revoke(booking: Booking, *, now: datetime) -> int:
    """Make all links to a booking stop working, for example one that was leaked; return how many.

    Mail that comes later has another.
    """
    return booking.guest_links.open().update(revoked_at=now)
