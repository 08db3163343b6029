"""Says which change each page makes, for the audit: one place, so none is forgotten.

What happened to bookings, and who joined or left a team, has a log of its own. A set-up has none:
its change is noted in the transaction that makes it. See also `accounts.acting`.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

from accounts import emails, passwords
from accounts.acting import Change, acting
from accounts.joining import AuditEntry
from accounts.models import User
from config.admin import KEY
from notifications.models import Delivery, Endpoint
from spaces.models import Space

Kind = AuditEntry.Kind

#: Change nothing that anybody would ask about.
SAFE = {"GET", "HEAD", "OPTIONS"}

#: Pages of the staff that lead to an event of a booking, of a guest, or of the team.
LOGGED_ELSEWHERE = {
    *("staff_visit", "staff_walk_in", "undo_walk_in", "staff_phone", "staff_booking"),
    *("staff_cancel", "staff_no_shows", "staff_waiting", "staff_waiting_act"),
    *("staff_people", "staff_invitation", "staff_role"),
}
#: Pages of notifications on which staff work.
OF_STAFF = ("staff_", "webhook", "delivery", "space_calendars")
#: Pages where people change how they sign in, or who may act for them.
SECURITY = {
    *("email", "tokens", "revoke", "stays", "confirm_email", "sessions", "passkey_name"),
}
#: Those that lead to a `FactorEvent`: only from where is noted.
FACTORS = {
    *("password", "new_password", "factor_app", "factor_app_remove", "factor_codes"),
    *("passkey_add", "passkey_remove", "oidc_link", "oidc_unlink"),
}


class Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE:
            return self._get_response(request)
        with acting(request) as found:
            request.acting = found  # type: ignore[attr-defined]  # ours
            return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> None:
        """Find out before what it is about: afterwards the row may be gone."""
        match = request.resolver_match
        if match is None or not hasattr(request, "acting"):
            return
        kind = kind_of(match)
        user = actor_of(match, request) if kind is not None else None
        if kind is None or user is None:
            return
        space = space_of(match, request)
        request.acting.change = Change(
            kind,
            user,
            space=lambda: theirs(space, user),
            what=lambda: what_of(match, request),
        )


def actor_of(match: ResolverMatch, request: HttpRequest) -> User | None:
    """Return who is signed in, or whom a letter was sent to whose link is followed."""
    if match.url_name == "new_password":
        return passwords.owner_of(match.kwargs["key"])
    if match.url_name == "confirm_email":
        found = emails.read(match.kwargs["key"])
        return found[0] if found else None
    return request.user if isinstance(request.user, User) else None


def theirs(space: int | None, actor: User) -> int | None:
    """Return a space that somebody runs; None for another: a form may name any."""
    spaces = Space.objects.all() if actor.is_superuser else Space.objects.run_by(actor)
    there = spaces.filter(pk__in=[space] if space else [])
    return there.values_list("pk", flat=True).first()


def kind_of(match: ResolverMatch) -> str | None:
    name = match.url_name or ""
    if match.app_names == ["admin"]:
        is_change = model_of(match) is not None and not name.endswith("_history")
        return Kind.CHANGED if is_change else None
    if name in FACTORS:
        return Kind.ACTED
    if name in SECURITY:
        return Kind.SECURITY
    return Kind.CHANGED if name.startswith(OF_STAFF) and name not in LOGGED_ELSEWHERE else None


def what_of(match: ResolverMatch, request: HttpRequest) -> str:
    """Return the name of a page, and the key of its row: no text that somebody typed."""
    key = _keys(match, request)
    return " ".join(filter(None, [match.view_name, ",".join(key)]))


def _keys(match: ResolverMatch, request: HttpRequest) -> list[str]:
    names = {"object_id", "number", "id"}
    given = [str(value) for name, value in match.kwargs.items() if name in names]
    return given or [*filter(KEY.fullmatch, request.POST.getlist(ACTION_CHECKBOX_NAME))][:10]


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
    if model is None or (model is Space and is_deleted(match, request)):
        return None  # its lines go with it
    return _of_row(model, match, request)


def is_deleted(match: ResolverMatch, request: HttpRequest) -> bool:
    name = match.url_name or ""
    return name.endswith("_delete") or request.POST.get("action") == "delete_selected"


def model_of(match: ResolverMatch) -> type[Model] | None:
    """Return which table a page of the admin is about."""
    name = match.url_name or ""
    if name == "auth_user_password_change":  # as Django calls it, whatever the model
        return User
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
        return int(chosen) if KEY.fullmatch(chosen) else None
    key = keys[0]
    if not KEY.fullmatch(key):
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
