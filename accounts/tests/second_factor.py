"""An authenticator app in tests."""

from datetime import timedelta

from django.utils import timezone

from accounts.factors import Authenticator, Passkey
from accounts.second import services, totp


def app_of(user, *, now=None):
    """Set an app up; return the key that it has, and the recovery codes."""
    now = (now or timezone.now()) - timedelta(minutes=5)
    key = totp.new_key()
    return key, services.add_app(user, key, totp.code_at(key, totp.step_at(now)), now=now)


def code(key, *, now=None, steps=0):
    """Return what the app shows, some steps from now."""
    return totp.code_at(key, totp.step_at(now or timezone.now()) + steps)


def forget_use(user):
    """Let the codes of these thirty seconds be used again."""
    Authenticator.objects.filter(user=user).update(last_step=0)


def passkey_of(user, *, now=None, name="Phone"):
    """Make a passkey that signs nobody in: none of our tests' devices has its other half.

    Its owner signs in as before, as if there was none.
    """
    now = now or timezone.now()
    fields = {"public_key": "AA", "sign_count": 0, "created_at": now}
    return Passkey.objects.create(user=user, name=name, credential=f"of-{user.pk}", **fields)
