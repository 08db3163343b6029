"""People who forgot a password get a link by mail. Asking never reveals who has an account."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import F, Q
from django.utils.http import base36_to_int, int_to_base36

from accounts import due, factor_events, tokens, watching
from accounts.factors import FactorEvent
from accounts.models import ERASED, PasswordQuestion, PasswordRequest, User

#: How often we write to one person at most, whoever asks.
AGAIN_AFTER = timedelta(minutes=5)
#: Several people may share a mailbox; each gets their own link.
MOST_OF_ONE_MAILBOX = 5


def ask(who: str, *, language: str, now: datetime) -> None:
    """Have links sent to whoever has this login or mail address, if anybody.

    A worker finds out who that is: here we do the same, in the same time, whatever was typed.
    """
    PasswordQuestion.objects.create(who=who, language=language, asked_at=now)


def look_up(*, now: datetime) -> int:
    """Look up whom the next question is about; return how many questions that settled, 1 or 0."""
    question = PasswordQuestion.objects.order_by("pk").first()
    if question is None:
        return 0
    with transaction.atomic():
        if PasswordQuestion.objects.filter(pk=question.pk).delete()[0]:  # no worker was faster
            with watching.caused_by(question.request_id):
                _find(question, now=now)
    return 1


def _find(question: PasswordQuestion, *, now: datetime) -> None:
    if question.asked_at <= now - due.GIVE_UP:
        return
    who = question.who
    login = User.normalize_username(who)
    found = User.objects.filter(Q(username=login) | Q(email__iexact=who), is_active=True)
    # Those who confirmed it come first: anybody can sign up with somebody else's address.
    sure_first = F("email_confirmed_at").asc(nulls_last=True)
    for user in found.exclude(email="").order_by(sure_first, "pk")[:MOST_OF_ONE_MAILBOX]:
        if user.has_usable_password():
            _note(user, language=question.language, now=now)


def _note(user: User, *, language: str, now: datetime) -> None:
    wish = {"language": language, "asked_at": now, "due_at": now}
    wish["request_id"] = watching.request_id()
    _request, is_new = PasswordRequest.objects.get_or_create(user=user, defaults=wish)
    if not is_new:
        PasswordRequest.objects.filter(user=user, asked_at__lte=now - AGAIN_AFTER).update(**wish)


def claim_next(*, now: datetime) -> PasswordRequest | None:
    """Claim one due request. Its row stays, to tell when we last wrote to that person."""
    return due.claim(PasswordRequest.objects.select_related("user"), since="asked_at", now=now)


def forget(user: User) -> None:
    about = Q(who__iexact=user.username) | Q(who__iexact=user.email)
    PasswordQuestion.objects.filter(about).delete()
    PasswordRequest.objects.filter(user=user).delete()


def key_of(user: User) -> str:
    """Return the key that opens the page for a new password, once and for a while."""
    return f"{int_to_base36(user.pk)}-{default_token_generator.make_token(user)}"


def owner_of(key: str) -> User | None:
    """Return the key's owner; None when it was used, is too old, or was never ours."""
    number, _, token = key.partition("-")
    try:
        pk = base36_to_int(number)
    except ValueError:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first() if pk < 2**63 else None
    return user if user and default_token_generator.check_token(user, token) else None


@transaction.atomic
def change(user: User, *, password: str, by: User | None, now: datetime) -> None:
    """Set a new password, made by `make_password`; this ends all sessions, and its key.

    An unconfirmed address is dropped: anyone who knew the old password may have requested it.
    `by` is None when others than its owner chose it.
    """
    erased = Q(is_active=False, username__startswith=ERASED)
    person = User.objects.exclude(erased).filter(pk=user.pk)
    if person.update(password=password, pending_email=""):
        factor_events.note(user, FactorEvent.Kind.PASSWORD, by=by, now=now)


@transaction.atomic
def choose_by_mail(user: User, *, password: str, now: datetime) -> int:
    """Set a new password through the link from a mail, which proves who owns the address."""
    unconfirmed = User.objects.filter(pk=user.pk, email=user.email, email_confirmed_at=None)
    unconfirmed.update(email_confirmed_at=now)
    return choose(user, password=password, by=user, now=now)


@transaction.atomic
def choose(user: User, *, password: str, by: User | None = None, now: datetime) -> int:
    """Set a new password for somebody who doesn't know the old one; return how many tokens ended.

    Anyone who knew it may have made them. Wrong guesses by others meanwhile don't lock the owner
    out.
    """
    change(user, password=password, by=by, now=now)
    AccessAttempt.objects.filter(username=user.username).delete()
    return tokens.revoke_all(user, now)
