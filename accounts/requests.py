"""What a view can rely on, as types."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class PageRequest(HttpRequest):
    """A request for a public page: perhaps someone is signed in."""

    user: User | AnonymousUser
    htmx: HtmxDetails


class AuthenticatedRequest(PageRequest):
    """A request that `LoginRequiredMiddleware` let through: someone is signed in."""

    user: User
