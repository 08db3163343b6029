"""Invitations: written, sent again, revoked, accepted once.

The key of a link is signed, so that a worker can write it without our keeping it, and we keep its
hash, so that whoever reads the database can't follow it. Inviting says the same whether anybody
has that address.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts import due, trail, tries, watching
from accounts.joining import Invitation, Tier, TierMember
from accounts.models import StaffRole, User

SALT = "accounts.invitations"
LINK_LIVES = timedelta(days=7)
OWNERS_LINK_LIVES = timedelta(hours=24)

Role, Kind = Invitation.Role, trail.Kind


class NoLongerValid(Exception):
    """The invitation was used, revoked, or is too old."""

    def __str__(self) -> str:
        return _("This invitation was used, revoked, or is too old.")


class HasOwner(Exception):
    """The site has an owner: nobody becomes one by a link."""


class TierGone(Exception):
    """The tier was deleted a moment ago."""

    def __str__(self) -> str:
        return _("This tier was deleted a moment ago.")


def invite(
    email: str,
    *,
    role: str,
    space: models.Model,
    tier: Tier | None = None,
    by: User | None,
    now: datetime,
) -> Invitation:
    """Write to an address; one that is invited already gets a new link, and this role.

    Raises `tries.TooOften` after too many letters to an address, and TierGone.
    """
    email = email.strip()
    tries.spend("letter", login=email, now=now)
    with transaction.atomic():
        if tier is not None:
            _hold(tier)
        invitation = _invite(email, role=role, space=space, tier=tier, by=by, now=now)
        trail.note_invitation(Kind.INVITED, invitation, by=by, now=now)
    return invitation


def _hold(tier: Tier) -> None:
    """Keep a tier there until this transaction ends: its key is compared then, too late to answer.

    Whoever deletes one waits for the row, and finds the invitation. Raises TierGone.
    """
    rows = Tier.objects.filter(pk=tier.pk).select_for_update(no_key=True)
    if not rows.values_list("pk", flat=True):
        raise TierGone


def _invite(
    email: str, *, role: str, space: models.Model, tier: Tier | None, by: User | None, now: datetime
) -> Invitation:
    known = Invitation.objects.filter(space=space.pk, email__iexact=email, tier=tier)
    known = known.filter(role=Role.MEMBER) if tier else known.exclude(role=Role.MEMBER)
    if (found := known.select_for_update(no_key=True).first()) is not None:
        return _renew(found, role=role, by=by, now=now)
    invitation = _new(role, email=email, space=space, tier=tier, by=by, now=now)
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError:  # somebody invited the same address a moment ago
        return known.get()
    return invitation


def resend(invitation: Invitation, *, by: User, now: datetime) -> Invitation:
    """Write again, with a new link; the old one ends. Raises `tries.TooOften`, NoLongerValid."""
    tries.spend("letter", login=invitation.email, now=now)
    with transaction.atomic():
        held = Invitation.objects.select_for_update(no_key=True).filter(pk=invitation.pk).first()
        if held is None:
            raise NoLongerValid
        renewed = _renew(held, role=held.role, by=by, now=now)
        trail.note_invitation(Kind.INVITED, renewed, by=by, now=now)
    return renewed


@transaction.atomic
def revoke(invitation: Invitation, *, by: User, now: datetime) -> bool:
    """End an invitation; False if it was used or revoked before."""
    if Invitation.objects.filter(pk=invitation.pk).delete()[0] != 1:
        return False
    trail.note_invitation(Kind.REVOKED, invitation, by=by, now=now)
    return True


def of_owner(*, now: datetime) -> str:
    """Return the key for becoming the owner of a site without one; earlier ones end.

    For whoever can start programs on the server. Raises HasOwner.
    """
    if has_owner():
        raise HasOwner
    with transaction.atomic():
        Invitation.objects.filter(role=Role.OWNER).delete()
        invitation = _new(Role.OWNER, by=None, now=now)
        invitation.expires_at = now + OWNERS_LINK_LIVES
        invitation.due_at = None
        invitation.save()
    return key_of(invitation)


def has_owner() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def read(key: str, *, now: datetime) -> Invitation | None:
    """Return the invitation that a key opens; None when it ended, or never was."""
    found = Invitation.objects.select_related("space", "tier", "invited_by").valid(now)
    invitation: Invitation | None = found.filter(digest=_hash(key)).first()
    if invitation is not None and invitation.role == Role.OWNER and has_owner():
        return None
    return invitation


@transaction.atomic
def accept(
    invitation: Invitation,
    *,
    by: User,
    now: datetime,
    joining: Callable[[Tier, User], object] | None = None,
) -> None:
    """Give a person what the invitation promises, once: the row that is deleted decides.

    `joining` puts a member into a tier. Raises NoLongerValid.
    """
    held = Invitation.objects.filter(pk=invitation.pk, digest=invitation.digest, expires_at__gt=now)
    if held.delete()[0] != 1:
        raise NoLongerValid
    trail.note_invitation(Kind.JOINED, invitation, by=by, now=now, person=by)
    if invitation.role == Role.OWNER:
        if has_owner():
            raise NoLongerValid
        User.objects.filter(pk=by.pk).update(is_superuser=True, is_staff=True)
    elif invitation.tier is not None:
        (joining or join)(invitation.tier, by)
    else:
        assert invitation.space_id is not None
        _make_staff(by, invitation.space_id, invitation.role)


def join(tier: Tier, user: User) -> bool:
    """Put a person into a tier; False if they are in it."""
    return TierMember.objects.get_or_create(tier=tier, user=user)[1]


def prove_address(user: User, invitation: Invitation, *, now: datetime) -> None:
    """Record that a newcomer owns the address: the link came there."""
    if invitation.email:
        mine = User.objects.filter(pk=user.pk, email=invitation.email)
        mine.update(email_confirmed_at=now)


def key_of(invitation: Invitation) -> str:
    """Return the key of an invitation's latest letter."""
    what = f"{invitation.code}:{invitation.letter}"
    return salted_hmac(SALT, what, algorithm="sha256").hexdigest()


def _hash(key: str) -> str:
    return sha256(key.encode(errors="replace")).hexdigest()


def _new(
    role: str,
    *,
    email: str = "",
    space: models.Model | None = None,
    tier: Tier | None = None,
    by: User | None,
    now: datetime,
) -> Invitation:
    code: UUID = uuid4()
    invitation = Invitation(
        code=code,
        role=role,
        email=email,
        space_id=space.pk if space is not None else None,
        tier=tier,
        language=translation.get_language() or settings.LANGUAGE_CODE,
        invited_by=by,
        created_at=now,
        expires_at=now + LINK_LIVES,
        due_at=now,
    )
    invitation.digest = _hash(key_of(invitation))
    return invitation


def _renew(held: Invitation, *, role: str, by: User | None, now: datetime) -> Invitation:
    held.role, held.invited_by = role, by
    held.letter += 1
    held.digest = _hash(key_of(held))
    held.created_at, held.expires_at, held.due_at = now, now + LINK_LIVES, now
    held.request_id = watching.request_id()
    held.save()
    return held


def _make_staff(user: User, space: int, role: str) -> None:
    """Give a role; a manager who is invited as a host stays one."""
    held, is_new = StaffRole.objects.get_or_create(
        user=user, space_id=space, defaults={"role": role}
    )
    if not is_new and role == StaffRole.Role.MANAGER:
        StaffRole.objects.filter(pk=held.pk).update(role=role)


# --- For the worker -------------------------------------------------------------------------------


def claim_next(*, now: datetime) -> Invitation | None:
    """Claim one due letter; nobody else sends it unless we fail to finish in time."""
    letters = Invitation.objects.filter(due_at__lte=now)
    letters = letters.select_related("space", "tier", "invited_by")
    for invitation in letters.order_by("due_at", "pk"):
        is_hopeless = invitation.created_at <= now - due.GIVE_UP
        until = None if is_hopeless else now + due.RETRY
        held = Invitation.objects.filter(pk=invitation.pk, due_at=invitation.due_at)
        # Signed anew: the site's secret may have changed since.
        digest = _hash(key_of(invitation))
        if held.update(due_at=until, digest=digest) == 1 and not is_hopeless:
            invitation.due_at = until
            return invitation
    return None


def forget_expired(*, now: datetime) -> int:
    """Delete invitations a month after they ended; return how many."""
    old = Invitation.objects.filter(expires_at__lte=now - timedelta(days=30))
    trail.forget_addresses(now=now)
    if not old.exists():  # workers ask all the time, and reading locks nobody out
        return 0
    return old.delete()[0]
