"""Whose account here an account of the provider opens: linked, or made for it."""

import re
from datetime import datetime
from secrets import token_hex

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import factor_events, services
from accounts.factors import FactorEvent, Identity
from accounts.letters import is_visible
from accounts.models import User
from accounts.oidc.provider import Claims

TRIES = 5


class Unwanted(Exception):
    """Nobody of that kind comes in by the provider."""

    def __str__(self) -> str:
        return _("Only people with a confirmed address of certain domains come in that way.")


class Taken(Exception):
    def __str__(self) -> str:
        return _("That account is linked to somebody else here.")


def check(claims: Claims) -> None:
    """Raises Unwanted where the site names domains and the address is of none of them."""
    domains = settings.OIDC["domains"]
    if domains and claims.email.rpartition("@")[2].lower() not in domains:
        raise Unwanted


def owner_of(claims: Claims) -> User | None:
    """Return the person whose account this one is linked to."""
    linked = Identity.objects.filter(issuer=claims.issuer, subject=claims.subject)
    found = linked.filter(user__is_active=True).select_related("user").first()
    return found.user if found is not None else None


def person_at(claims: Claims) -> User | None:
    """Return who has confirmed this address here too: they may link it, once signed in."""
    if not claims.email:
        return None
    confirmed = User.objects.filter(email__iexact=claims.email, is_active=True)
    return confirmed.exclude(email_confirmed_at=None).order_by("pk").first()


def may_link(user: User, claims: Claims) -> bool:
    is_same = bool(claims.email) and user.email.lower() == claims.email.lower()
    return is_same and user.email_confirmed_at is not None


@transaction.atomic
def link(user: User, claims: Claims, *, now: datetime) -> None:
    """Let the provider's account sign this person in from now on. Raises Taken."""
    fields = {"issuer": claims.issuer, "subject": claims.subject}
    row, is_new = Identity.objects.get_or_create(
        **fields, defaults={"user": user, "created_at": now}
    )
    if row.user_id != user.pk:
        raise Taken
    if is_new:
        factor_events.note(user, FactorEvent.Kind.LINKED, by=user, now=now)


@transaction.atomic
def unlink(user: User, *, now: datetime) -> bool:
    gone = Identity.objects.filter(user=user).delete()[0] > 0
    if gone:
        factor_events.note(user, FactorEvent.Kind.UNLINKED, by=user, now=now)
    return gone


def join(claims: Claims, *, language: str, now: datetime) -> User | None:
    """Make an account for somebody who comes for the first time, if the site wants that.

    It has no password: a link by mail can't open it either. None where it isn't wanted, or the
    address is not confirmed.
    """
    if not settings.OIDC["provision"] or not _is_address(claims.email):
        return None
    name = claims.name if is_visible(claims.name) else ""
    for login in _logins(claims):
        try:
            with transaction.atomic():
                services.check_login(login)
                user = User.objects.create_user(
                    login,
                    claims.email,
                    None,
                    name=name,
                    language=language,
                    email_confirmed_at=now,
                )
                link(user, claims, now=now)
        except (services.LoginRefused, IntegrityError):
            continue
        return user
    return None


def _is_address(email: str) -> bool:
    try:
        validate_email(email)
    except ValidationError:
        return False
    return True


def _logins(claims: Claims) -> list[str]:
    """Return logins to try, the nicest first."""
    wanted = claims.login or claims.email.partition("@")[0]
    plain = re.sub(r"[^\w.@+-]", "", User.normalize_username(wanted))[:100] or "member"
    return [plain, *(f"{plain}-{token_hex(3)}" for _try in range(TRIES))]


def names(user: User, now: datetime) -> list[str]:
    """Return what else opens the account: see `accounts.access`."""
    count = Identity.objects.filter(user=user).count()
    return [settings.OIDC["name"]] * count


def unlink_all(user: User, now: datetime) -> int:
    count = Identity.objects.filter(user=user).count()
    unlink(user, now=now)
    return count
