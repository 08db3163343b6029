"""Notes every change that staff make on a page or in the admin: one place, so none is forgotten.

What happened to bookings, and who joined or left a team, has a log of its own, written in the same
transaction. A set-up has none, so its change is noted as soon as it has been made.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django.utils import timezone

from accounts import audit
from accounts.joining import AuditEntry
from accounts.models import User
from notifications.models import Delivery, Endpoint
from spaces.models import Space

Kind = AuditEntry.Kind

#: Pages of the staff that lead to an event of a booking, of a guest, or of the team.
LOGGED_ELSEWHERE = {
    *("staff_visit", "staff_walk_in", "undo_walk_in", "staff_phone", "staff_booking"),
    *("staff_cancel", "staff_no_shows", "staff_waiting", "staff_waiting_act"),
    *("staff_people", "staff_invitation", "staff_role"),
}
#: Pages of notifications on which staff work.
OF_STAFF = ("staff_", "webhook", "delivery")
#: Pages where people change how they sign in, or who may act for them.
SECURITY = {
    *("password", "email", "tokens", "revoke", "stays", "new_password", "confirm_email"),
    *("sessions", "factors", "factor_app", "factor_app_remove", "factor_codes"),
    *("passkey_add", "passkey_remove", "oidc_link", "oidc_unlink"),
}
#: Redirects, or says that it was made.
DONE = {HTTPStatus.CREATED, HTTPStatus.NO_CONTENT, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
#: Answer with what was made, for it is shown once.
SHOWN_ONCE = {"webhook_secret", "tokens"}


class Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        found = getattr(request, "audited", None)
        is_done = response.status_code in DONE
        if found is not None and (is_done or (found.is_shown and response.status_code == 200)):
            audit.note(
                found.kind,
                actor=found.actor,
                space=found.space_now(),
                what=found.what,
                request=request,
                now=timezone.now(),
            )
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> None:
        """Find out before what it is about: afterwards the row may be gone."""
        match = request.resolver_match
        if request.method != "POST" or match is None:
            return
        kind, user = kind_of(match), request.user
        if kind is None or not isinstance(user, User):
            return
        change = Change(kind, user, space_of(match, request), match, request)
        if kind == Kind.SECURITY or change.is_allowed():
            request.audited = change  # type: ignore[attr-defined]  # ours


@dataclass(frozen=True)
class Change:
    """What somebody is about to change."""

    kind: str
    actor: User
    space: int | None
    match: ResolverMatch
    request: HttpRequest

    @property
    def what(self) -> str:
        return what_of(self.match, self.request)

    @property
    def is_shown(self) -> bool:
        return self.match.url_name in SHOWN_ONCE

    def space_now(self) -> int | None:
        """Return the space, or None if it has just been deleted."""
        there = Space.objects.filter(pk__in=[self.space] if self.space else [])
        return there.values_list("pk", flat=True).first()

    def is_allowed(self) -> bool:
        """Tell whether it can be theirs: the admin leads on from rows that it doesn't show, too."""
        if self.actor.is_superuser:
            return True
        if self.space is None:
            return False
        return Space.objects.run_by(self.actor).filter(pk=self.space).exists()


def kind_of(match: ResolverMatch) -> str | None:
    name = match.url_name or ""
    if match.app_names == ["admin"]:
        is_change = model_of(match) is not None and not name.endswith("_history")
        return Kind.CHANGED if is_change else None
    if name in SECURITY:
        return Kind.SECURITY
    return Kind.CHANGED if name.startswith(OF_STAFF) and name not in LOGGED_ELSEWHERE else None


def what_of(match: ResolverMatch, request: HttpRequest) -> str:
    """Return the name of a page, and the key of its row: no text that somebody typed."""
    key = _keys(match, request)
    return " ".join(filter(None, [match.view_name, ",".join(key)]))


def _keys(match: ResolverMatch, request: HttpRequest) -> list[str]:
    given = [str(value) for name, value in match.kwargs.items() if name in {"object_id", "number"}]
    return (
        given or [key for key in request.POST.getlist(ACTION_CHECKBOX_NAME) if key.isdigit()][:10]
    )


def space_of(match: ResolverMatch, request: HttpRequest) -> int | None:
    """Return whose set-up it is; None for the whole site's."""
    if "slug" in match.kwargs:
        return Space.objects.filter(slug=match.kwargs["slug"]).values_list("pk", flat=True).first()
    name, code = match.url_name or "", match.kwargs.get("code")
    if name.startswith("webhook") and code:
        return Endpoint.objects.filter(code=code).values_list("space", flat=True).first()
    if name.startswith("delivery") and code:
        rows = Delivery.objects.filter(code=code)
        return rows.values_list("endpoint__space", flat=True).first()
    model = model_of(match)
    return _of_row(model, match, request) if model is not None else None


def model_of(match: ResolverMatch) -> type[Model] | None:
    """Return which table a page of the admin is about."""
    name = match.url_name or ""
    for model in admin.site._registry if match.app_names == ["admin"] else ():
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return model
    return None


def _of_row(model: type[Model], match: ResolverMatch, request: HttpRequest) -> int | None:
    way, keys = way_to_space(model), _keys(match, request)
    if way is None:
        return None
    if not keys:  # a new one says where it belongs
        chosen = request.POST.get("space", "")
        return int(chosen) if chosen.isdigit() and len(chosen) < 18 else None
    key = keys[0]
    if not key.isdigit() or len(key) > 18:
        return None
    found: int | None = model._base_manager.filter(pk=int(key)).values_list(way, flat=True).first()
    return found


def way_to_space(model: type[Model]) -> str | None:
    """Return the lookup that leads from a table to its space, by the shortest way; None for none.

    Not through a person, who may belong to several.
    """
    if model is Space:
        return "pk"
    ways: deque[tuple[type[Model], str]] = deque([(model, "")])
    seen: set[Any] = {model, User}
    while ways:
        at, way = ways.popleft()
        for each in at._meta.concrete_fields:
            found: Any = each.related_model
            if found is Space:
                return f"{way}{each.name}"
            if found is not None and found not in seen:
                seen.add(found)
                ways.append((found, f"{way}{each.name}__"))
    return None
