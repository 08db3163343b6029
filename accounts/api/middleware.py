"""What all answers under /api/ have in common."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_cache_control, patch_vary_headers

from accounts.addresses import address_of
from accounts.api import idempotency, limits
from accounts.api.problems import ApiProblem, answer, is_for_programs
from accounts.api.requests import ProgramRequest

type Handler = Callable[[HttpRequest], HttpResponse]


def programs(get_response: Handler) -> Handler:
    """Count requests per address, store answers by key, and tell caches what they may do."""
    conditional = ConditionalGetMiddleware(get_response)

    def middleware(plain: HttpRequest) -> HttpResponse:
        if not is_for_programs(plain):
            return get_response(plain)
        request = cast(ProgramRequest, plain)
        request.rates, request.claim, request.token = [], None, None
        request.known_parameters, request.repeatable, request.takes_body = [], set(), True
        if request.method == "HEAD":  # RFC 9110, 9.3.2: as GET; the web server drops the body
            request.method = "GET"
        try:
            limits.spend(request, "address", address_of(request) or "unknown")
        except ApiProblem as problem:
            response = answer(problem)
        else:
            response = get_response(request)
            idempotency.finish(request, response)
        limits.write_headers(request, response)
        patch_vary_headers(response, ["Authorization", "Cookie", "Accept-Language"])
        if request.method == "GET" and response.status_code == 200:
            patch_cache_control(response, private=True, no_cache=True)
            labelled = conditional.process_response(request, response)
            assert isinstance(labelled, HttpResponse)  # what went in, or a 304
            return labelled
        patch_cache_control(response, no_store=True)
        return response

    return middleware
