"""A person's e-mail address: requested, confirmed through a link that only its owner has, changed.

A new address waits until it is confirmed, and the old one stays until then. We tell the old one, so
that nobody can take an account over silently. Letters are rows that a worker sends.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import translation

from accounts import due, tries
from accounts.models import EmailLetter, User

SALT = "accounts.emails"
#: How long a link is valid.
LINK_LIVES = timedelta(days=3)

About = EmailLetter.About

#: What later apps do, in the same transaction, for a person whose address was just confirmed.
CONFIRMED: list[Callable[[User, str, datetime], object]] = []


@transaction.atomic
def ask(user: User, address: str, *, now: datetime) -> None:
    """Write to a new address, for its owner to confirm, and tell the one in use.

    Removing the address needs no confirmation. Raises
    `tries.TooOften` after too many letters to an address.
    """
    if address and address != user.email:
        _spend(address, now=now)
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not held.is_active or held.email != user.email:
        return  # left, or changed it a moment ago in another window
    if address == held.email:
        User.objects.filter(pk=user.pk).update(pending_email="")
    elif address:
        User.objects.filter(pk=user.pk).update(pending_email=address)
        _write(held, About.CONFIRM, to=address, now=now)
        _write(held, About.CHANGING, to=held.email, other=address, now=now)
    else:
        put(held, "", now=now)


def put(user: User, address: str, *, now: datetime) -> None:
    """Use a new address at once, unconfirmed; tell the old one, ask the new one to confirm.

    For people who remove theirs, and for the staff, when nobody reads the old one any more.
    """
    old = user.email
    User.objects.filter(pk=user.pk).update(email=address, email_confirmed_at=None, pending_email="")
    _write(user, About.CONFIRM, to=address, now=now)
    _write(user, About.CHANGED, to=old, other=address, now=now)


def ask_newcomer(user: User, *, now: datetime) -> None:
    """Write to the address of somebody who just signed up. After too many letters, it can wait."""
    try:
        _spend(user.email, now=now)
    except tries.TooOften:
        return
    _write(user, About.CONFIRM, to=user.email, now=now)


def ask_again(user: User, *, now: datetime) -> str:
    """Send the link once more; return the address, or "" when none is waiting.

    Raises `tries.TooOften`.
    """
    address = waiting(user)
    if address:
        _spend(address, now=now)
        _write(user, About.CONFIRM, to=address, now=now)
    return address


def waiting(user: User) -> str:
    """Return the address that a person has yet to confirm, or ""."""
    return user.pending_email or ("" if user.email_confirmed_at else user.email)


@transaction.atomic
def confirm(user: User, address: str, *, now: datetime) -> bool:
    """Use this address from now on; False when the person is no longer waiting for it.

    If two links are followed at once, the database lets each act only once.
    """
    people = User.objects.filter(pk=user.pk, is_active=True)
    old = people.select_for_update(no_key=True).values_list("email", flat=True).first()
    of_new = people.filter(pending_email=address).exclude(pending_email="")
    if of_new.update(email=address, email_confirmed_at=now, pending_email=""):
        if old != address:
            _write(user, About.CHANGED, to=old or "", other=address, now=now)
        return _confirmed(user, address, now)
    in_use = people.filter(email=address)
    in_use.filter(email_confirmed_at=None).update(email_confirmed_at=now)
    return in_use.exists() and _confirmed(user, address, now)


def _confirmed(user: User, address: str, now: datetime) -> bool:
    for follow in CONFIRMED:
        follow(user, address, now)
    return True


def key_of(user: User, address: str) -> str:
    """Return the key that opens the page for confirming this person's address."""
    return signing.dumps([user.pk, address], salt=SALT)


def read(key: str) -> tuple[User, str] | None:
    """Return the key's owner and address; None when it is too old, or was never ours."""
    try:
        pk, address = signing.loads(key, salt=SALT, max_age=LINK_LIVES)
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or address not in {user.email, user.pending_email} - {""}:
        return None
    return user, address


def forget(user: User) -> None:
    EmailLetter.objects.filter(user=user).delete()


# --- For the worker -------------------------------------------------------------------------------


def claim_next(*, now: datetime) -> EmailLetter | None:
    """Claim one due letter; nobody else sends it unless we fail to finish in time."""
    letters = EmailLetter.objects.filter(due_at__lte=now).select_related("user")
    for letter in letters.order_by("due_at", "pk"):
        held = EmailLetter.objects.filter(pk=letter.pk, due_at=letter.due_at)
        if letter.asked_at <= now - due.GIVE_UP:
            held.delete()
        elif held.update(due_at=now + due.RETRY) == 1:
            letter.due_at = now + due.RETRY
            return letter
    return None


def finish(letter: EmailLetter) -> None:
    EmailLetter.objects.filter(pk=letter.pk, due_at=letter.due_at).delete()


def is_needless(letter: EmailLetter) -> bool:
    """Tell whether a letter is no longer needed."""
    if letter.about != About.CONFIRM:
        return not letter.user.is_active
    return not letter.user.is_active or waiting(letter.user) != letter.to


def _spend(address: str, *, now: datetime) -> None:
    tries.spend("letter", login=address, now=now)


def _write(user: User, about: str, *, to: str, other: str = "", now: datetime) -> None:
    if to:
        language = user.language or translation.get_language() or settings.LANGUAGE_CODE
        EmailLetter.objects.create(
            user=user, about=about, to=to, other=other, language=language, asked_at=now, due_at=now
        )
