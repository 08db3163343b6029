"""Stops password guessing per login and per address: what we tell django-axes, and its page.

Counts are in the database, so that all web processes share them.
"""

from datetime import datetime
from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import wishes
from accounts.api.problems import LOGIN_LOCKED, ApiProblem, answer, is_for_programs
from accounts.models import User

type Credentials = dict[str, Any] | None


class Attempt(HttpRequest):
    """A sign-in attempt, as axes marks it."""

    axes_ip_address: str | None
    axes_attempt_time: datetime


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    def get_failures(self, request: Attempt, credentials: Credentials = None) -> int:
        """Count failures of this login, or of this address scaled by its higher limit."""
        of_login, of_address = map(_failures, self.get_user_attempts(request, credentials))
        if request.axes_ip_address is None:
            return of_login
        login_limit: int = settings.AXES_FAILURE_LIMIT
        address_limit: int = settings.ADDRESS_FAILURE_LIMIT
        return max(of_login, of_address * login_limit // address_limit)

    def reset_user_attempts(self, request: Attempt, credentials: Credentials = None) -> int:
        """After a success, forget the failures of this login from this address.

        Axes would forget the whole address: anyone with an account could guess forever.
        """
        attempts = AccessAttempt.objects.filter(
            username=login_of(request, credentials), ip_address=request.axes_ip_address
        )
        deleted: int = attempts.delete()[0]
        return deleted

    def opens_at(self, request: Attempt, credentials: Credentials = None) -> datetime:
        """Return when enough failures will be forgotten for both counts to be under the limit."""
        limits = (settings.AXES_FAILURE_LIMIT, settings.ADDRESS_FAILURE_LIMIT)
        opens_at: datetime = request.axes_attempt_time
        for attempts, left in zip(
            self.get_user_attempts(request, credentials), limits, strict=True
        ):
            rows = attempts.order_by("-attempt_time")
            for failures, at in rows.values_list("failures_since_start", "attempt_time"):
                left -= failures
                if left <= 0:
                    opens_at = max(opens_at, at + settings.AXES_COOLOFF_TIME)
                    break
        return opens_at


def _failures(attempts: QuerySet[Any]) -> int:
    count: int = attempts.aggregate(n=Sum("failures_since_start", default=0))["n"]
    return count


def login_of(request: HttpRequest, credentials: Credentials = None) -> str:
    """Return the attempted login as the database would store it: «ALICE» is alice."""
    login = (request.POST if credentials is None else credentials).get("username") or ""
    return User.normalize_username(login.strip()[:150])[:255]


def locked_out(
    request: Attempt, response: HttpResponse | None, credentials: Credentials
) -> HttpResponse:
    """Answer 429 with the time to wait (RFC 6585, section 4)."""
    wait = Handler().opens_at(request, credentials) - request.axes_attempt_time
    seconds = max(1, ceil(wait.total_seconds()))
    if is_for_programs(request):
        return answer(ApiProblem(LOGIN_LOCKED, headers={"Retry-After": str(seconds)}))
    context = {"minutes": ceil(seconds / 60), "wish": wishes.of(request)}
    page = render(request, "accounts/locked.html", context, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page
