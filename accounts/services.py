"""What happens to a person: joining, changing, being forgotten."""

from datetime import datetime
from secrets import token_hex
from typing import Any

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import passwords, tokens
from accounts.api import idempotency
from accounts.models import ERASED, IdempotencyKey, User


class LoginTaken(Exception):
    def __str__(self) -> str:
        return _("This login is taken.")


def register(login: str, *, password: str, email: str = "", language: str = "") -> User:
    """Create a member. Two people who ask for one login at once: the constraint chooses."""
    try:
        with transaction.atomic():
            return User.objects.create_user(login, email, password, language=language)
    except IntegrityError as error:
        raise LoginTaken from error


def change(user: User, **fields: Any) -> None:
    """Write these columns and no other, and only while the person is here.

    Saving a whole row that was read earlier could bring an erased person back.
    """
    User.objects.filter(pk=user.pk, is_active=True).update(**fields)


@transaction.atomic
def erase(user: User, *, now: datetime) -> None:
    """Forget the person, sign them out everywhere, and keep an empty row for the history.

    The login becomes free for others. Bookings are not touched here.
    """
    AccessAttempt.objects.filter(username=user.username).delete()
    user.staff_roles.all().delete()
    user.api_tokens.all().delete()
    IdempotencyKey.objects.filter(user=user).delete()
    passwords.forget(user)
    user.groups.clear()
    user.user_permissions.clear()
    user.username = ERASED + token_hex(16)
    user.name = user.email = user.language = user.time_zone = ""
    user.theme = User.Theme.SYSTEM
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.date_joined = now  # when the row became nobody's
    user.set_unusable_password()  # sessions are signed with the password's hash: they end
    user.save()
    LogEntry.objects.filter(
        content_type__app_label="accounts", content_type__model="user", object_id=str(user.pk)
    ).update(object_repr=str(user), change_message="")


def forget_old_credentials(*, now: datetime) -> int:
    """Delete what no program can use any more: keys after a day, tokens a month after their end."""
    return idempotency.forget_old(now=now) + tokens.forget_expired(now=now)
