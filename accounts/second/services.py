"""What happens to people's second factors. Each change leaves a line in `FactorEvent`."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import factor_events
from accounts.factors import Authenticator, FactorEvent, Identity, Passkey, RecoveryCode
from accounts.models import Session, StaffRole, User
from accounts.second import codes, totp

Kind = FactorEvent.Kind


class Needed(Exception):
    """The last second factor of somebody who has to have one."""

    def __str__(self) -> str:
        return _("Your role needs a second factor. Add another before you remove this one.")


class AlreadySetUp(Exception):
    def __str__(self) -> str:
        return _("You have an authenticator app already. Remove it before you set up another.")


def is_needed_by(user: User, *, in_admin: bool = False) -> bool:
    """Tell whether the site asks this person for a second factor; no statement for who asks."""
    asked = settings.SECOND_FACTOR_REQUIRED_OF
    if not asked:
        return False
    if asked == "everybody" or user.is_superuser:
        return True
    if asked == "staff" or in_admin:
        return _attribute(user, "is_space_staff", StaffRole.objects.filter(user=user))
    managers = StaffRole.objects.filter(user=user, role=StaffRole.Role.MANAGER)
    return _attribute(user, "is_space_manager", managers)


def _attribute(user: User, name: str, roles: "object") -> bool:
    found = vars(user).get(name)
    return bool(roles.exists() if found is None else found)  # type: ignore[attr-defined]  # a set of rows


def is_missing(user: User, *, in_admin: bool = False) -> bool:
    return user.second_factor_at is None and is_needed_by(user, in_admin=in_admin)


@transaction.atomic
def add_app(user: User, key: bytes, code: str, *, now: datetime) -> list[str] | None:
    """Set up an app with this key, if the code comes from it; return the recovery codes.

    They are empty for somebody who has some already; None if the code is wrong. Raises
    AlreadySetUp.
    """
    step = totp.step_of(key, code, now=now)
    if step is None:
        return None
    held = _hold(user)
    if Authenticator.objects.filter(user=held).exists():
        raise AlreadySetUp
    Authenticator.objects.create(user=held, sealed=totp.seal(key), last_step=step, created_at=now)
    return _added(user, held, Kind.APP_ADDED, now=now)


@transaction.atomic
def add_passkey(user: User, passkey: Passkey, *, now: datetime) -> list[str]:
    """Store a new passkey, already checked; return the recovery codes, if they are the first."""
    held = _hold(user)
    passkey.user = held
    passkey.save(force_insert=True)
    return _added(user, held, Kind.PASSKEY_ADDED, now=now)


@transaction.atomic
def remove_app(user: User, *, now: datetime) -> bool:
    """Raises Needed."""
    held = _hold(user)
    gone = Authenticator.objects.filter(user=held).delete()[0] > 0
    if gone:
        _removed(user, held, Kind.APP_REMOVED, now=now)
    return gone


@transaction.atomic
def remove_passkey(
    user: User, passkey: Passkey, *, now: datetime, even_if_needed: bool = False
) -> bool:
    """Raises Needed."""
    held = _hold(user)
    gone = Passkey.objects.filter(pk=passkey.pk, user=held).delete()[0] > 0
    if gone:
        _removed(user, held, Kind.PASSKEY_REMOVED, now=now, even_if_needed=even_if_needed)
    return gone


@transaction.atomic
def rename_passkey(user: User, passkey: Passkey, name: str) -> None:
    """Call a passkey something else; nothing if it was removed meanwhile."""
    Passkey.objects.filter(pk=passkey.pk, user=user).update(name=name)


@transaction.atomic
def renew_codes(user: User, *, now: datetime) -> list[str]:
    held = _hold(user)
    made = codes.replace(held)
    factor_events.note(held, Kind.CODES_MADE, by=user, now=now)
    return made


@transaction.atomic
def accepts(user: User, text: str, *, now: datetime) -> bool:
    """Tell whether a code from the app, or a recovery code, opens this account. Each does once."""
    plain = "".join(letter for letter in text if letter.isalnum())
    if len(plain) == totp.DIGITS and plain.isascii() and plain.isdigit():
        return _use_app(user, plain, now=now)
    if not codes.use(user, plain, now=now):
        return False
    factor_events.note(user, Kind.CODE_USED, by=user, now=now)
    return True


def _use_app(user: User, code: str, *, now: datetime) -> bool:
    app = Authenticator.objects.filter(user=user).first()
    key = totp.unseal(app.sealed) if app is not None else None
    step = totp.step_of(key, code, now=now) if key is not None else None
    if step is None:
        return False
    unused = Authenticator.objects.filter(user=user, last_step__lt=step)
    return unused.update(last_step=step) == 1


@transaction.atomic
def reset(user: User, *, by: User | None, now: datetime) -> bool:
    """Take away all second factors of somebody who lost them; tell whether there were any.

    All their sessions end: whoever found the phone may be signed in.
    """
    held = _hold(user)
    had = held.second_factor_at is not None
    _forget_all(held)
    User.objects.filter(pk=held.pk).update(second_factor_at=None)
    Session.objects.filter(user=held).delete()
    if had:
        factor_events.note(held, Kind.RESET, by=by, now=now)
    return had


def forget(user: User) -> None:
    """Leave nothing of somebody whose account is being erased; their row is saved by the caller."""
    _forget_all(user)
    FactorEvent.objects.filter(user=user).delete()
    Identity.objects.filter(user=user).delete()
    user.second_factor_at = None


def _forget_all(user: User) -> None:
    for kind in (Authenticator, Passkey, RecoveryCode):
        kind.objects.filter(user=user).delete()


def _hold(user: User) -> User:
    """Let one change after another happen to a person's factors."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk, is_active=True)


def _added(user: User, held: User, kind: str, *, now: datetime) -> list[str]:
    factor_events.note(held, kind, by=user, now=now)
    if held.second_factor_at is not None:
        return []
    User.objects.filter(pk=held.pk).update(second_factor_at=now)
    user.second_factor_at = now
    return codes.replace(held)


def _removed(
    user: User, held: User, kind: str, *, now: datetime, even_if_needed: bool = False
) -> None:
    factor_events.note(held, kind, by=user, now=now)
    left = (Authenticator.objects.filter(user=held), Passkey.objects.filter(user=held))
    if any(each.exists() for each in left):
        return
    if is_needed_by(user) and not even_if_needed:
        raise Needed
    RecoveryCode.objects.filter(user=held).delete()
    User.objects.filter(pk=held.pk).update(second_factor_at=None)
    user.second_factor_at = None
