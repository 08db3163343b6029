"""What happens to people: joining, changing, being forgotten."""

from collections.abc import Callable
from datetime import datetime
from secrets import token_hex
from typing import Any

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import emails, passwords, personal, trail, tries
from accounts.joining import TierMember
from accounts.lookalikes import look, mixes_scripts
from accounts.models import ERASED, IdempotencyKey, User
from accounts.second import services as second


class LoginRefused(Exception):
    """Nobody can have this login. `code` is for programs; the text is for the person."""

    code = ""


class LoginTaken(LoginRefused):
    code = "login_taken"

    def __str__(self) -> str:
        return _("This login is taken.")


class LoginLooksTaken(LoginRefused):
    code = "login_looks_taken"

    def __str__(self) -> str:
        return _("This login looks like one that is taken. Choose one that differs more.")


class LoginMixesScripts(LoginRefused):
    code = "login_mixes_scripts"

    def __str__(self) -> str:
        return _("This login mixes letters of different alphabets. Use one alphabet.")


def register(
    login: str,
    *,
    password: str,
    email: str = "",
    language: str = "",
    address: str | None = None,
    now: datetime,
    also: Callable[[User], object] = lambda user: None,
) -> User:
    """Create a member for somebody at this network address: every door signs up through here.

    `also` is done with the new member in the same transaction, or not at all.

    Raises ValidationError, which names `username`, `password` and `email`; `tries.TooOften`; or
    LoginRefused. If two people want one login at once, the constraint decides.
    """
    login = User.normalize_username(login)
    _check_fields(User(username=login, email=email), password)
    tries.spend("sign-up", address=address, login=login, now=now)
    check_login(login)
    with transaction.atomic():
        user = _insert(login, email=email, password=password, language=language)
        if user.email:
            emails.ask_newcomer(user, now=now)
        also(user)
        return user


def _insert(login: str, *, email: str, password: str, language: str) -> User:
    """Insert the row; only this tells of the login, not what is done with the new member."""
    try:
        with transaction.atomic():
            return User.objects.create_user(login, email, password, language=language)
    except IntegrityError as error:
        is_taken = User.objects.filter(username=login).exists()
        raise (LoginTaken if is_taken else LoginLooksTaken) from error


def check_login(login: str, *, of: User | None = None) -> None:
    """Raise LoginRefused when a person, who may already have another, can't have this login.

    An existing login may look like another, or mix scripts: it stays valid.
    """
    others = User.objects.exclude(pk=of.pk) if of is not None and of.pk else User.objects.all()
    if others.filter(username=login).exists():
        raise LoginTaken
    if mixes_scripts(login):
        raise LoginMixesScripts
    if others.filter(look=look(login)).exists():
        raise LoginLooksTaken


def _check_fields(person: User, password: str) -> None:
    problems: dict[str, list[ValidationError]] = {}
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError as error:
        problems = error.error_dict
    try:
        validate_password(password, person)
    except ValidationError as error:
        problems["password"] = error.error_list
    if problems:
        raise ValidationError(problems)


def change(user: User, **fields: Any) -> None:
    """Write only these columns, and only if the person still exists.

    Saving a whole row that was read earlier could resurrect an erased person.
    """
    User.objects.filter(pk=user.pk, is_active=True).update(**fields)


@transaction.atomic
def erase(user: User, *, now: datetime) -> None:
    """Forget the person, sign them out everywhere, and keep an empty row for the history.

    The login becomes free for others. What other apps hold is erased too: see `accounts.personal`.
    """
    personal.erase_all(personal.Traces.of(user), now=now)
    AccessAttempt.objects.filter(username=user.username).delete()
    user.staff_roles.all().delete()
    TierMember.objects.filter(user=user).delete()
    trail.forget(user)
    user.api_tokens.all().delete()
    IdempotencyKey.objects.filter(user=user).delete()
    passwords.forget(user)
    emails.forget(user)
    second.forget(user)
    user.groups.clear()
    user.user_permissions.clear()
    user.username = ERASED + token_hex(16)
    user.name = user.email = user.pending_email = user.language = user.time_zone = ""
    user.email_confirmed_at = None
    user.theme = User.Theme.SYSTEM
    user.is_active = user.is_staff = user.is_superuser = user.looks_alike = False
    user.last_login = None
    user.date_joined = now  # when the row stopped being anybody's
    user.set_unusable_password()  # ends sessions: they are signed with the password's hash
    user.save()
    LogEntry.objects.filter(
        content_type__app_label="accounts", content_type__model="user", object_id=str(user.pk)
    ).update(object_repr=str(user), change_message="")
