"""Which mail members want, and the link for saying so without signing in."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.models import User
from notifications.models import MailPreference

SALT = "notifications.unsubscribe"


def wants_reminders(user: User) -> bool:
    """Tell whether a person wants reminders; they do unless they said otherwise."""
    chosen = MailPreference.objects.filter(user=user).values_list("reminders", flat=True).first()
    return chosen is not False


def choose_reminders(user: User, *, wanted: bool) -> None:
    MailPreference.objects.update_or_create(user=user, defaults={"reminders": wanted})


def unsubscribe_url(user: User) -> str:
    """Return the address that switches a person's reminders off. It never expires.

    A mail is opened years later, and its link must still do what it says (RFC 8058).
    """
    token = signing.Signer(salt=SALT).sign_object(user.pk)
    return settings.SITE_URL + reverse("unsubscribe", args=[token])


def reader_of(token: str) -> User | None:
    """Return the link's owner; None when we didn't make it, or the person has left."""
    try:
        pk = signing.Signer(salt=SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    return User.objects.filter(pk=pk, is_active=True).first()
