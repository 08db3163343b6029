"""Setting up a space's webhooks. Secrets are random, and shown once."""

import logging
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_bytes
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from notifications import relay
from notifications.models import Delivery, Endpoint
from notifications.webhooks import guard
from spaces.models import Space

logger = logging.getLogger("mesto.webhooks")

MOST = 20  # per space
#: How long the old secret also signs.
CHANGE_OVER = timedelta(hours=24)


class WebhookError(Exception):
    """Why it was not done; the text is for the person."""


class TooManyWebhooks(WebhookError):
    def __str__(self) -> str:
        return _("This space has %(n)d webhooks. Delete one that you don’t need.") % {"n": MOST}


class AlreadyAdded(WebhookError):
    def __str__(self) -> str:
        return _(
            "This webhook has already been added. If you didn’t copy its secret, make a "
            "new one for it."
        )


class SecretChanged(WebhookError):
    def __str__(self) -> str:
        return _(
            "Its secret was changed meanwhile. If you don’t have the new one, change it again."
        )


class IsOff(WebhookError):
    def __str__(self) -> str:
        return _("This webhook is switched off. Switch it on first.")


def add(
    space: Space,
    *,
    url: str,
    kinds: Sequence[str],
    by: User,
    now: datetime,
    code: UUID | None = None,
) -> tuple[Endpoint, str]:
    """Add a webhook; return it and its secret, which is never shown again.

    The caller chooses `code`, so that asking twice adds one. Raises guard.AddressRefused,
    TooManyWebhooks, AlreadyAdded.
    """
    guard.check(url)  # before the transaction: it may wait for DNS
    return _add(space, url=url, kinds=kinds, by=by, now=now, code=code)


@transaction.atomic
def _add(
    space: Space, *, url: str, kinds: Sequence[str], by: User, now: datetime, code: UUID | None
) -> tuple[Endpoint, str]:
    # One at a time for each space: two at once would not see each other in the count.
    Space.objects.select_for_update(no_key=True).get(pk=space.pk)
    if code and Endpoint.objects.filter(code=code).exists():
        raise AlreadyAdded
    if Endpoint.objects.webhooks_of(space).count() >= MOST:
        raise TooManyWebhooks
    secret = _new_secret()
    endpoint = Endpoint.objects.create(
        code=code or uuid4(),
        channel=Endpoint.Channel.WEBHOOK,
        space=space,
        url=url,
        kinds=list(kinds),
        secret=secret,
        created_at=now,
        listens_since=now,
    )
    _log("added", endpoint, by)
    return endpoint, secret


def _new_secret() -> str:
    """Make a secret in the Standard Webhooks format, from 256 random bits."""
    return "whsec_" + b64encode(token_bytes(32)).decode()


def change(endpoint: Endpoint, *, url: str, kinds: Sequence[str], by: User) -> None:
    """Change the address or the events. Raises guard.AddressRefused."""
    guard.check(url)
    endpoint.url, endpoint.kinds = url, list(kinds)
    # Not `save`: somebody may have deleted it meanwhile.
    row = Endpoint.objects.filter(pk=endpoint.pk)
    with transaction.atomic():
        row.update(url=url, kinds=list(kinds), listens_since=Now())
        _wake(endpoint)
    _log("changed", endpoint, by)


@transaction.atomic
def switch(endpoint: Endpoint, *, on: bool, by: User) -> None:
    """Switch it on or off. What is waiting keeps waiting, and is sent when it is on again."""
    endpoint.is_active = on
    # A fresh start: failures count from now.
    anew = {"failures": 0, "failing_since": None, "rests_until": None} if on else {}
    this = Endpoint.objects.filter(pk=endpoint.pk)
    if on:
        this.filter(is_active=False).update(listens_since=Now())
    this.update(is_active=on, **anew)
    _log("switched on" if on else "switched off", endpoint, by)


def switch_off_gone(endpoint: int, *, url: str, now: datetime) -> None:
    """Leave a receiver alone that answered 410 Gone, unless its address has changed since."""
    found = Endpoint.objects.filter(pk=endpoint, url=url)
    if found.update(is_active=False, failing_since=now):
        logger.warning("webhook %s answered 410 and was switched off", endpoint)


@transaction.atomic
def new_secret(endpoint: Endpoint, *, by: User, now: datetime, seen: str | None = None) -> str:
    """Make a new secret and return it; the old one also signs for a day.

    `seen` is the `secret_mark` that the person saw: a page submitted twice makes one secret.
    Raises SecretChanged.
    """
    row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if seen is not None and seen != secret_mark(row):
        raise SecretChanged
    row.previous_secret, row.previous_secret_until = row.secret, now + CHANGE_OVER
    row.secret = _new_secret()
    row.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    _log("given a new secret", row, by)
    return row.secret


def secret_mark(endpoint: Endpoint) -> str:
    """Return a mark that changes with the secrets, and reveals nothing about them."""
    until = endpoint.previous_secret_until
    return until.isoformat() if until else "first"


@transaction.atomic
def ping(endpoint: Endpoint, *, now: datetime) -> Delivery:
    """Send a test, soon. Raises IsOff."""
    if not endpoint.is_active:
        raise IsOff
    _wake(endpoint)
    return Delivery.objects.create(
        endpoint=endpoint,
        purpose=Delivery.Purpose.PING,
        created_at=now,
        due_at=now,
        asked_at=now,
    )


def resend(delivery: Delivery, *, now: datetime) -> bool:
    """Send again what is settled or waiting for its next try; tell whether it was. Raises IsOff."""
    if not delivery.endpoint.is_active:
        raise IsOff
    sent = relay.resend([delivery], now=now)
    _wake(delivery.endpoint)
    return bool(sent)


@transaction.atomic
def remove(endpoint: Endpoint, *, by: User) -> None:
    """Delete a webhook and the record of its deliveries."""
    # Lock its row first, as the relay does, so that the two never deadlock.
    if row := Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first():
        row.delete()
        _log("removed", endpoint, by)


@transaction.atomic
def _wake(endpoint: Endpoint) -> None:
    """Let it be called at once though it has failed: a person wants to see what happens."""
    Endpoint.objects.filter(pk=endpoint.pk).update(rests_until=None)


def _log(what: str, endpoint: Endpoint, by: User) -> None:
    logger.info("webhook %s of space %s %s by %s", endpoint.code, endpoint.space_id, what, by.pk)
