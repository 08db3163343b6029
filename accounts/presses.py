"""No click is lost: what a form sent is kept while the person signs in again.

It waits in the session, which survives signing in. Passwords and files are not
kept, and the amount is limited.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User

KEPT, WAITING = "presses", "presses_waiting"

MOST_KEPT = 3  # submissions per session
MOST_LETTERS = 20_000  # per submission, names and values
KEPT_FOR = timedelta(hours=1)

#: Names of fields that have to be filled in again.
SECRET = re.compile("password|passphrase|passcode|secret", re.IGNORECASE)

LABELS: dict[str, str | Promise] = {
    "old_password": _("Old password"),
    "new_password1": _("New password"),
    "new_password2": _("New password, once more"),
    "passcode": pgettext_lazy("of an app", "Code"),
}


#: What people typed, and wouldn't like to type again. The rest is carried along hidden.
TYPED: dict[str, str | Promise] = {
    "username": _("Login"),
    "name": _("Name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "address": _("Address"),
    "about": _("About"),
    "url": _("Address"),
    "guest_name": _("Guest"),
    "guest_contact": _("Contact"),
    "reason": _("Reason"),
    "note": _("Note"),
}


#: Describes a request, from what was sent, the values in the URL, and the reader.
Describe = Callable[[QueryDict, Mapping[str, Any], User | AnonymousUser], list[str]]


def nothing(sent: QueryDict, address: Mapping[str, Any], reader: User | AnonymousUser) -> list[str]:
    """Describe a form whose button says all there is to say."""
    return []


@dataclass(frozen=True)
class Act:
    """What one of our forms does, for the person who submits it again."""

    words: str | Promise | Callable[[QueryDict], str]  # on the button, as on the form's own page
    describe: Describe = nothing
    is_dangerous: bool = False  # can't be undone, so its button must not look harmless


#: By URL name, from the apps that know them.
ACTS: dict[str, Act] = {}


@dataclass(frozen=True)
class Press:
    """One form that was sent, without its secrets."""

    path: str
    at: str = ""  # ISO 8601
    fields: list[list[str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)  # to be typed again
    files: list[str] = field(default_factory=list)  # to be chosen again
    is_too_long: bool = False  # none of it is kept
    page: str = ""  # the page its form was on

    @classmethod
    def of(cls, request: HttpRequest, *, now: datetime) -> Self:
        """Read what a request sent."""
        pairs = [
            [name, value]
            for name, values in request.POST.lists()
            for value in values
            if name != "csrfmiddlewaretoken"
        ]
        secrets = list(dict.fromkeys(name for name, _value in pairs if SECRET.search(name)))
        fields = [pair for pair in pairs if pair[0] not in secrets]
        is_too_long = sum(len(name) + len(value) for name, value in fields) > MOST_LETTERS
        return cls(
            path=request.get_full_path(),
            at=now.isoformat(),
            fields=[] if is_too_long else fields,
            secrets=[] if is_too_long else secrets,
            files=[] if is_too_long else list(request.FILES),
            is_too_long=is_too_long,
            page=_page_of(request),
        )

    @property
    def sent(self) -> QueryDict:
        data = QueryDict(mutable=True)
        for name, value in self.fields:
            data.appendlist(name, value)
        return data

    @property
    def passwords(self) -> list[tuple[str, str | Promise, str]]:
        """Return name, label and purpose (for password managers) of what has to be typed again."""
        return [
            (
                name,
                LABELS.get(name, _("Password")),
                _purpose(name),
            )
            for name in self.secrets
        ]

    @property
    def words(self) -> str | Promise:
        """What its button says."""
        act = self._act()
        if act is None:
            return _("Send it again")
        words = act[0].words
        return words(self.sent) if callable(words) else words

    @property
    def is_dangerous(self) -> bool:
        act = self._act()
        return act is not None and act[0].is_dangerous

    def lines(self, reader: User | AnonymousUser) -> list[str]:
        """Return what it is about, as far as we can tell."""
        if act := self._act():
            return act[0].describe(self.sent, act[1], reader)
        if not reader.is_authenticated:  # nobody knows whose it is
            return []
        return [
            f"{label}: {text}" for name, label in TYPED.items() if (text := self.sent.get(name))
        ]

    def _act(self) -> tuple[Act, Mapping[str, Any]] | None:
        try:
            match = resolve(urlsplit(self.path).path)
        except Resolver404:
            return None
        act = ACTS.get(match.view_name)
        return (act, match.kwargs) if act else None

    def is_same(self, other: "Press") -> bool:
        return (self.path, self.fields) == (other.path, other.fields)

    def is_old(self, now: datetime) -> bool:
        return now - datetime.fromisoformat(self.at) > KEPT_FOR


def _purpose(name: str) -> str:
    if name == "passcode":
        return "one-time-code"
    return "new-password" if re.search("new|[12]$", name) else "current-password"


def is_ours(request: HttpRequest) -> bool:
    """Tell whether a form came from one of our pages, by headers that browsers set and pages can't.

    What another site sent in a person's name must not be offered to that person to submit.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if not origin:
        return True  # not a browser
    ours = {urlsplit(trusted).netloc for trusted in settings.CSRF_TRUSTED_ORIGINS}
    return urlsplit(origin).netloc in {request.get_host(), *ours}


def keep(request: HttpRequest, press: Press) -> str:
    """Keep a submission in the session, with the few before it; return its key."""
    key = token_urlsafe(12)
    kept = {**request.session.get(KEPT, {}), key: asdict(press)}
    different = [
        (k, each) for k, each in kept.items() if k == key or not Press(**each).is_same(press)
    ]
    request.session[KEPT] = dict(different[-MOST_KEPT:])
    return key


def find(request: HttpRequest, key: str, *, now: datetime) -> Press | None:
    return _kept(request, now).get(key)


def others(request: HttpRequest, key: str, *, now: datetime) -> list[tuple[str, Press]]:
    """Return what else is kept, from other tabs, with its keys; not the same form again."""
    kept = _kept(request, now)
    shown = kept.pop(key)
    return [(k, press) for k, press in kept.items() if not press.is_same(shown)]


def forget(request: HttpRequest, *, now: datetime) -> None:
    """Stop keeping what is being submitted right now.

    Only a form for the same address is read: elsewhere a body may be read in another way.
    """
    path = request.get_full_path()
    here = {key: press for key, press in _kept(request, now).items() if press.path == path}
    if not here:
        return
    sent = Press.of(request, now=now)
    done = [key for key, press in here.items() if press.is_same(sent)]
    if done:
        kept = request.session[KEPT]
        request.session[KEPT] = {key: each for key, each in kept.items() if key not in done}


def _kept(request: HttpRequest, now: datetime) -> dict[str, Press]:
    kept = {key: Press(**each) for key, each in request.session.get(KEPT, {}).items()}
    return {key: press for key, press in kept.items() if not press.is_old(now)}


def wait(request: HttpRequest, path: str, key: str | None) -> None:
    """Record which submission to show at a URL after signing in; None for none any more."""
    waiting = dict(request.session.get(WAITING, {}))
    if waiting.pop(path, None) is None and key is None:
        return
    if key is not None:
        waiting[path] = key
    kept = request.session.get(KEPT, {})
    request.session[WAITING] = {p: k for p, k in waiting.items() if k in kept}


def waiting_at(request: HttpRequest, path: str) -> Press | None:
    """Return the submission that will be shown there once somebody is signed in."""
    key = request.session.get(WAITING, {}).get(path) if path else None
    return find(request, key, now=timezone.now()) if key else None


def take_waiting(request: HttpRequest) -> str | None:
    """Return the key of the submission that is waiting at this URL, once."""
    path = request.get_full_path()
    key: str | None = request.session.get(WAITING, {}).get(path)
    if key is not None:
        wait(request, path, None)
    return key


def _page_of(request: HttpRequest) -> str:
    """Return which of our pages a form was on, as far as the browser says."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, allowed_hosts={request.get_host()}):
        return ""
    parts = urlsplit(referer)
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if path.startswith("/") and not path.startswith("//") else ""
