"""Whoever has to have a second factor and has none sets one up first: nothing else is reachable."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.second import services

#: What stays reachable, by URL name. The API refuses by itself: see `accounts.api.auth`.
OPEN = {
    "factors",
    "factor_app",
    "passkey_add",
    "passkey_options",
    "sure",
    "oidc",  # to say again who it is
    "oidc_back",
    "profile",
    "logout",
    "language",
    "admin:logout",
    "healthz",
    "readyz",
    "metrics",  # by a token of its own
}


class Gate:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match, user = request.resolver_match, request.user
        if match is None or match.view_name in OPEN or match.namespace == "api":
            return None
        in_admin = match.app_name == "admin"
        if isinstance(user, User) and services.is_missing(user, in_admin=in_admin):
            return redirect(reverse("factors", query={"next": request.get_full_path()}))
        return None
