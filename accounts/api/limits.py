"""Rate limits: so many requests per minute per token (or session) and per address.

The counts are in the cache; with CACHE_URL all web processes share them, without it each has its
own. Headers follow draft-ietf-httpapi-ratelimit-headers-10.
"""

import logging
import time
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse

from accounts import tries
from accounts.api.problems import TOO_MANY_REQUESTS, ApiProblem
from accounts.api.requests import ProgramRequest, Rate
from accounts.shared import unreachable

logger = logging.getLogger("mesto.api")

WINDOW = 60  # seconds


def spend(request: ProgramRequest, policy: str, who: str) -> None:
    """Count a request against a policy: "address", "token" or "session".

    Raises ApiProblem when there is nothing left. Without the cache the API works unlimited.
    """
    limit: int = settings.API_RATES[policy]
    now = time.time()
    used = count(policy, who, window=WINDOW)
    if used == 0:
        return
    rate = Rate(policy, limit, used, reset=WINDOW - int(now % WINDOW))
    request.rates.append(rate)
    if used > limit:
        raise ApiProblem(TOO_MANY_REQUESTS, headers={"Retry-After": str(rate.reset)})


def spend_try(what: str, *, now: datetime, **whose: str | None) -> None:
    """Count a try as pages do: see `accounts.tries.spend`. Raises ApiProblem."""
    try:
        tries.spend(what, now=now, **whose)
    except tries.TooOften as error:
        raise too_often(error) from error


def too_often(error: tries.TooOften) -> ApiProblem:
    return ApiProblem(TOO_MANY_REQUESTS, str(error), headers={"Retry-After": str(error.seconds)})


def count(policy: str, who: str, *, window: int) -> int:
    """Increment and return the count for this window of seconds; 0 without a cache."""
    key = f"rate:{policy}:{who}:{int(time.time() // window)}"
    try:
        cache.add(key, 0, timeout=2 * window)
        return int(cache.incr(key))
    except unreachable():
        logger.exception("the cache can't be reached; requests are not counted")
        return 0
    except ValueError:  # evicted between the two lines: the cache is full
        return 1


def write_headers(request: ProgramRequest, response: HttpResponse) -> None:
    if found := request.rates:
        response["RateLimit"] = ", ".join(
            f'"{rate.policy}";r={rate.remaining};t={rate.reset}' for rate in found
        )
        response["RateLimit-Policy"] = ", ".join(
            f'"{rate.policy}";q={rate.limit};w={WINDOW}' for rate in found
        )
