"""What is held of a person: handed over when they ask for it, and erased when they leave.

Each app adds what it holds. A table that leads to a person and that nobody here speaks for fails a
test: see `config/tests/test_no_trace.py`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.db.models import Q

from accounts.factors import Authenticator, FactorEvent, Identity, Passkey, RecoveryCode
from accounts.joining import Invitation, TeamEvent
from accounts.models import ApiToken, IdempotencyKey, Session, StaffRole, User
from accounts.presses import KEPT
from accounts.sessions import SessionStore

#: A shorter login or name would be found in everybody's text.
SHORTEST = 3
ERASED_TEXT = "—"


@dataclass(frozen=True)
class Traces:
    """By what somebody who leaves can be recognised in text, read before it is erased."""

    user: User
    login: str
    name: str
    emails: tuple[str, ...]

    @classmethod
    def of(cls, user: User) -> Self:
        # Not by the object: whoever leaves may have changed it in another window.
        held = User.objects.get(pk=user.pk)
        emails = dict.fromkeys(filter(None, [held.email, held.pending_email]))
        return cls(user, held.username, held.name, tuple(emails))

    @property
    def words(self) -> tuple[str, ...]:
        found = (self.login, self.name, *self.emails)
        return tuple(word for word in found if len(word) >= SHORTEST)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        choices = "|".join(map(re.escape, self.words)) or "(?!)"
        return re.compile(rf"(?<![\w@.+-])(?:{choices})(?![\w@+-])", re.IGNORECASE)

    def are_in(self, text: str) -> bool:
        """Tell whether a text names this person: as a whole word, however it is written."""
        return bool(self._pattern.search(text))

    def may_be_in(self, *columns: str) -> Q:
        """Find rows that may name this person, for `are_in` to decide."""
        found = Q(pk__in=[])
        for column in columns:
            for word in self.words:
                found |= Q(**{f"{column}__icontains": word})
        return found


#: What each app hands over, by its name in the file. JSON values.
EXPORTS: dict[str, Callable[[User], Any]] = {}

#: What each app erases, in the transaction in which somebody leaves.
ERASERS: list[Callable[[Traces, datetime], object]] = []


def exported(user: User) -> dict[str, Any]:
    """Return everything that is held of a person, as JSON values."""
    return {name: export(user) for name, export in EXPORTS.items()}


def erase_all(traces: Traces, *, now: datetime) -> None:
    for erase in ERASERS:
        erase(traces, now)


# --- What accounts hold ---------------------------------------------------------------------------


def register() -> None:
    EXPORTS["account"] = _account
    EXPORTS["api_tokens"] = _tokens
    EXPORTS["signed_in"] = _sessions
    EXPORTS["second_factors"] = _factors
    EXPORTS["roles"] = _roles
    EXPORTS["tiers"] = _tiers
    EXPORTS["invitations"] = _invitations
    EXPORTS["team"] = _team
    EXPORTS["failed_sign_ins"] = _failures
    EXPORTS["answers_kept_for_programs"] = _answers
    EXPORTS["admin_log"] = _log
    ERASERS.append(_erase)


def _account(user: User) -> dict[str, Any]:
    return {
        "login": user.username,
        "name": user.name,
        "email": user.email,
        "email_confirmed_at": _at(user.email_confirmed_at),
        "pending_email": user.pending_email,
        "language": user.language,
        "time_zone": user.time_zone,
        "appearance": user.theme,
        "joined_at": _at(user.date_joined),
        "last_signed_in_at": _at(user.last_login),
    }


def _tokens(user: User) -> list[dict[str, Any]]:
    return [
        {
            "name": token.name,
            "scope": token.scope,
            "ends_with": token.hint,
            "created_at": _at(token.created_at),
            "expires_at": _at(token.expires_at),
            "last_used_at": _at(token.last_used_at),
        }
        for token in ApiToken.objects.filter(user=user).order_by("pk")
    ]


def _sessions(user: User) -> list[dict[str, Any]]:
    found = Session.objects.filter(user=user).order_by("expire_date")
    return [
        {
            "until": _at(each.expire_date),
            "device": _content(each).get("device", {}),
            # Forms that were sent while signed out wait there to be sent again.
            "kept": _content(each).get(KEPT, {}),
        }
        for each in found
    ]


def _factors(user: User) -> dict[str, Any]:
    app = Authenticator.objects.filter(user=user).first()
    codes = RecoveryCode.objects.filter(user=user)
    events = FactorEvent.objects.filter(user=user).order_by("pk")
    return {
        "app_since": _at(app.created_at) if app is not None else None,
        "passkeys": [
            {
                "name": each.name,
                "created_at": _at(each.created_at),
                "last_used_at": _at(each.last_used_at),
            }
            for each in Passkey.objects.filter(user=user).order_by("pk")
        ],
        "identities": [
            {"issuer": each.issuer, "subject": each.subject, "created_at": _at(each.created_at)}
            for each in Identity.objects.filter(user=user).order_by("pk")
        ],
        "recovery_codes_left": codes.filter(used_at=None).count(),
        "events": [{"kind": each.kind, "at": _at(each.at)} for each in events],
    }


def _content(row: Session) -> dict[str, Any]:
    found: dict[str, Any] = SessionStore().decode(row.session_data)
    return found


def _roles(user: User) -> list[dict[str, Any]]:
    found = StaffRole.objects.filter(user=user).select_related("space").order_by("pk")
    return [{"space": each.space.slug, "role": each.role} for each in found]


def _tiers(user: User) -> list[dict[str, Any]]:
    found = user.memberships.select_related("tier__space").order_by("pk")
    return [{"space": each.tier.space.slug, "tier": each.tier.name} for each in found]


def _invitations(user: User) -> list[dict[str, Any]]:
    found = Invitation.objects.filter(_of_emails(user)).select_related("space").order_by("pk")
    return [
        {
            "email": each.email,
            "role": each.role,
            "space": each.space.slug if each.space else None,
            "created_at": _at(each.created_at),
        }
        for each in found
    ]


def _of_emails(user: User) -> Q:
    """Find what was sent to an address that has been shown to be theirs."""
    is_theirs = user.email and user.email_confirmed_at
    return Q(email__iexact=user.email) if is_theirs else Q(pk__in=[])


def _team(user: User) -> list[dict[str, Any]]:
    found = TeamEvent.objects.filter(Q(person=user) | Q(actor=user)).order_by("at", "pk")
    return [
        {
            "at": _at(each.at),
            "kind": each.kind,
            "was_done_by_you": each.actor_id == user.pk,
            "role": each.role,
            "email": each.email if each.person_id == user.pk else "",
        }
        for each in found
    ]


def _failures(user: User) -> list[dict[str, Any]]:
    found = AccessAttempt.objects.filter(username=user.username).order_by("pk")
    return [
        {
            "at": _at(each.attempt_time),
            "address": each.ip_address,
            "program": each.user_agent,
            "failures": each.failures_since_start,
        }
        for each in found
    ]


def _answers(user: User) -> list[dict[str, Any]]:
    found = IdempotencyKey.objects.filter(user=user).order_by("pk")
    return [
        {"key": each.key, "at": _at(each.created_at), "status": each.status, "body": each.body}
        for each in found
    ]


def _log(user: User) -> list[dict[str, Any]]:
    found = LogEntry.objects.filter(user_id=user.pk).order_by("pk")
    return [
        {"at": _at(each.action_time), "what": each.object_repr, "change": each.change_message}
        for each in found
    ]


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _erase(traces: Traces, now: datetime) -> None:
    Session.objects.filter(user=traces.user).delete()
    _erase_visits(traces)
    _erase_guesses(traces)
    # Also the answers to staff whose programs booked for this person.
    named = IdempotencyKey.objects.filter(traces.may_be_in("body", "key"))
    _delete(named, lambda row: traces.are_in(row.body) or traces.are_in(row.key))
    for email in traces.emails:
        # A link that was sent to them would still let in whoever finds it.
        Invitation.objects.filter(email__iexact=email).delete()
        TeamEvent.objects.filter(email__iexact=email).update(email="")
    _erase_log(traces)


def _erase_visits(traces: Traces) -> None:
    """Delete sessions of visitors whose forms, kept until they sign in, name this person."""
    nobody = Session.objects.filter(user=None)
    _delete(nobody, lambda row: _is_of(row, traces) or traces.are_in(str(_content(row))))


def _is_of(row: Session, traces: Traces) -> bool:
    """Tell whose a session is that an earlier release opened."""
    return str(_content(row).get(SESSION_KEY)) == str(traces.user.pk)


def _erase_guesses(traces: Traces) -> None:
    found = AccessAttempt.objects.filter(traces.may_be_in("username", "post_data", "get_data"))
    _delete(
        found,
        lambda row: any(map(traces.are_in, [row.username or "", row.post_data, row.get_data])),
    )


def _erase_log(traces: Traces) -> None:
    """Take the person out of what the admin site noted of anything."""
    for entry in LogEntry.objects.filter(traces.may_be_in("object_repr", "change_message")):
        if traces.are_in(entry.object_repr) or traces.are_in(entry.change_message):
            blank_entries(LogEntry.objects.filter(pk=entry.pk))


def blank_entries(entries: Any) -> None:
    """Leave of lines in the admin's log who did what kind of thing to which row, and when."""
    entries.update(object_repr=ERASED_TEXT, change_message="")


def _delete(rows: Any, is_theirs: Callable[[Any], bool]) -> None:
    keys: Iterable[Any] = [row.pk for row in rows.iterator(chunk_size=500) if is_theirs(row)]
    if keys:
        rows.model.objects.filter(pk__in=keys).delete()
