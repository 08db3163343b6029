"""What a view can rely on, as types."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User

if TYPE_CHECKING:
    from accounts.api.idempotency import Claim
    from accounts.api.limits import Rate


class PageRequest(HttpRequest):
    """A request of a public page: perhaps someone is signed in."""

    user: User | AnonymousUser
    htmx: HtmxDetails


class AuthenticatedRequest(PageRequest):
    """A request that `LoginRequiredMiddleware` let pass: someone is signed in."""

    user: User


class ProgramRequest(PageRequest):
    """A request under /api/, as `accounts.api.middleware` prepares it."""

    rates: "list[Rate]"
    claim: "Claim | None"


class SignedInProgramRequest(ProgramRequest):
    """A request of an operation that wants a token or a session."""

    user: User
