"""Sessions in the database; one statement finds a session and the person who is signed in with it.

`settings.SESSION_ENGINE` names this module.
"""

from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError
from django.db.models import CharField, DateTimeField
from django.http import HttpRequest
from django.utils import timezone

from accounts import people, replica
from accounts.models import Session, User
from accounts.prepared import prepared

_VALID = prepared(
    lambda key, now: people.with_person(
        Session.objects.filter(session_key=key, expire_date__gt=now), "user", now
    ),
    key=CharField(),
    now=DateTimeField(),
)

SEEN_EVERY = timedelta(minutes=10)
#: After signing in, however often it is used: otherwise its end moves with each change of it.
LONGEST = timedelta(days=30)
#: With what, from where and since when somebody is signed in: see `accounts.signed_in`.
DEVICE = "device"

if TYPE_CHECKING:
    Store = db.SessionStore[Session]
else:
    Store = db.SessionStore


class SessionStore(Store):
    #: Whom the row led to. Who is signed in is for Django to say: see `person_of`.
    person: User | None = None
    #: When somebody last used it, as far as the row says.
    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        row = _VALID.first(key=self.session_key, now=timezone.now())
        if row is None:
            self._session_key = None
            return None
        self.person = people.take(row, row.user)
        self.seen_at = row.seen_at
        return row

    def save(self, must_create: bool = False) -> None:
        """Let a failure of the database be one; write nothing while a replica is read.

        Django takes each for a session that was deleted meanwhile, and blames the request.
        """
        if replica.is_read():
            return
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise

    def delete(self, session_key: str | None = None) -> None:
        if not replica.is_read():
            super().delete(session_key)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        self.seen_at = row.seen_at = self.seen_at or timezone.now()
        return row

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        found: datetime = super().get_expiry_date(**kwargs)
        since = self.get(DEVICE, {}).get("since")
        return min(found, datetime.fromisoformat(since) + LONGEST) if since else found

    def note_use(self, now: datetime) -> None:
        """Write now and then that somebody uses it; not with each page."""
        if replica.is_read() or (self.seen_at and self.seen_at > now - SEEN_EVERY):
            return
        self.seen_at = now
        Session.objects.filter(pk=self.session_key).update(seen_at=now)


_asked: ContextVar[SessionStore | None] = ContextVar("session_asked_for_its_person", default=None)


def person_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who is signed in, after Django's own checks of the session."""
    session: Any = request.session
    token = _asked.set(session)
    try:
        person: User | AnonymousUser = get_user(request)
        return person
    finally:
        _asked.reset(token)


def person_found(pk: int) -> User | None:
    """Return the person with this key if the session that is being checked led to them."""
    session = _asked.get()
    person = session.person if session is not None else None
    return person if person is not None and person.pk == pk else None
