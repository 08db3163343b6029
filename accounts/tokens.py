"""API tokens: made, checked, revoked. Their text is random and shown once; we keep its hash."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import CharField, DateTimeField, Model, Q
from django.utils.translation import gettext as _

from accounts import people, replica
from accounts.models import ApiToken, User
from accounts.prepared import prepared

PREFIX = "mesto_"  # so that secret scanners find published ones
MOST = 50  # unexpired ones per person
USE_IS_NOTED_EVERY = timedelta(minutes=1)
SHOWN_EXPIRED_FOR = timedelta(days=30)  # so that the owner sees why a program stopped


_VALID = prepared(
    lambda digest, now: people.with_person(
        ApiToken.objects.filter(digest=digest, user__is_active=True).exclude(expires_at__lte=now),
        "user",
        now,
    ),
    digest=CharField(),
    now=DateTimeField(),
)


class TooManyTokens(Exception):
    def __str__(self) -> str:
        return _("You have %(n)d tokens. Revoke one that you don’t need.") % {"n": MOST}


class AlreadyMade(Exception):
    """A token with this code exists: the request came twice."""

    def __init__(self, token: ApiToken) -> None:
        self.token = token


@transaction.atomic
def issue(
    user: User,
    *,
    name: str,
    scope: str,
    expires_at: datetime | None,
    now: datetime,
    space: Model | None = None,
    code: UUID | None = None,
    text: str = "",
) -> tuple[ApiToken, str]:
    """Make a token; return it and its text, which nobody can read again.

    The caller chooses `code`, so that asking twice makes one. Raises TooManyTokens, AlreadyMade.
    """
    # One at a time for each person: two at once would not see each other in the count,
    # and nobody who is being erased, or whose password is being changed, must get a token now.
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not held.is_active or held.password != user.password:
        raise PermissionDenied
    if code and (made := ApiToken.objects.filter(code=code).first()):
        raise AlreadyMade(made)
    if ApiToken.objects.filter(user=user).exclude(expires_at__lte=now).count() >= MOST:
        raise TooManyTokens
    text = text or PREFIX + token_urlsafe(32)
    token = ApiToken.objects.create(
        code=code or uuid4(),
        user=user,
        name=name,
        scope=scope,
        space_id=space.pk if space is not None else None,
        digest=digest(text),
        hint=text[-4:],
        created_at=now,
        expires_at=expires_at,
    )
    return token, text


def digest(text: str) -> str:
    """Hash a token's text. It has 256 random bits, so a plain hash reveals nothing."""
    return sha256(text.encode(errors="replace")).hexdigest()


def find(text: str, *, now: datetime) -> ApiToken | None:
    """Return the valid token with this text and its person; record its use once a minute."""
    token = _VALID.first(digest=digest(text), now=now)
    if token is not None:
        people.take(token, token.user)
        _note_use(token, now)
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    if replica.is_read():
        return
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        unseen = Q(last_used_at=None) | Q(last_used_at__lt=now)
        ApiToken.objects.filter(unseen, pk=token.pk).update(last_used_at=now)


def of(user: User) -> list[ApiToken]:
    """Return a person's tokens, newest first; expired ones too, until they are revoked."""
    found = ApiToken.objects.filter(user=user).select_related("space")
    return list(found.order_by("-created_at", "-pk"))


def names(user: User, now: datetime) -> list[str]:
    """Return the names of a person's tokens that programs can still use, newest first."""
    valid = ApiToken.objects.filter(user=user).exclude(expires_at__lte=now)
    return list(valid.order_by("-created_at", "-pk").values_list("name", flat=True))


@transaction.atomic
def revoke_all(user: User, now: datetime) -> int:
    """Delete all of a person's tokens; return how many of them programs could still use."""
    # This waits for one that is being made right now, and deletes it too.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    count = len(names(user, now))
    ApiToken.objects.filter(user=user).delete()
    return count


@transaction.atomic
def revoke(token: ApiToken) -> None:
    """Delete a token; programs that use it are refused at once."""
    token.delete()


def forget_expired(*, now: datetime) -> int:
    """Delete tokens that expired a month ago; return how many."""
    expired = ApiToken.objects.filter(expires_at__lte=now - SHOWN_EXPIRED_FOR)
    if not expired.exists():  # workers check all the time, and reading locks nobody out
        return 0
    deleted, _by_model = expired.delete()
    return deleted
