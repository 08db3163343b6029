"""What a token lets a program do, and where: asked by every operation.

A session may do whatever its person may.
"""

from typing import Any, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.api.problems import MISSING_SCOPE, READ_ONLY_TOKEN, ApiProblem
from accounts.api.requests import ProgramRequest
from accounts.models import ApiToken

SAFE = {"GET", "HEAD", "OPTIONS"}


def begin(request: HttpRequest, token: ApiToken) -> None:
    """Let a token's request in, if it may do anything of that kind. Raises ApiProblem."""
    cast(ProgramRequest, request).token = token
    require(cast(ProgramRequest, request), "read" if request.method in SAFE else "book")


def require(request: ProgramRequest, verb: str) -> None:
    """Raises ApiProblem, which names the verb, where the token lacks it."""
    if request.token is None:
        return
    scope = ApiToken.Scope(request.token.scope)
    if verb in scope.verbs:
        return
    kind = READ_ONLY_TOKEN if scope == ApiToken.Scope.READ else MISSING_SCOPE
    detail = _("This token lacks the scope “%(scope)s”.") % {"scope": verb}
    raise ApiProblem(kind, detail, missing_scope=verb)


def require_space(request: ProgramRequest, pk: int, slug: str) -> None:
    """Raises ApiProblem, which names the space, where the token is for another one."""
    token = request.token
    if token is None or token.space_id in {None, pk}:
        return
    scope = f"space:{slug}"
    detail = _("This token lacks the scope “%(scope)s”.") % {"scope": scope}
    raise ApiProblem(MISSING_SCOPE, detail, missing_scope=scope)


def space_of(request: ProgramRequest) -> int | None:
    """Return the only space that the token is for, as a key; None for all."""
    return request.token.space_id if request.token is not None else None


def space_called(slug: str) -> Model | None:
    """Return the space that a new token is limited to; None if there is no such space."""
    found: Model | None = spaces().filter(slug=slug).first()
    return found


def spaces() -> QuerySet[Any]:
    """Return what a token can be limited to. Spaces build on this app, so they come by a field."""
    space: Any = ApiToken._meta.get_field("space").related_model
    found: QuerySet[Any] = space._default_manager.filter(is_active=True).order_by("name", "pk")
    return found
