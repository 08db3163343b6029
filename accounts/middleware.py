"""Who is signed in, and that person's preferences for every page."""

from collections.abc import Callable
from typing import cast

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.api.problems import is_for_programs
from accounts.second.sign_in import whole
from accounts.sessions import SessionStore, person_of


class SignedIn(AuthenticationMiddleware):
    """Django's, with the person whose row came with the session.

    A program that sends credentials is who they say, or nobody: its session isn't looked at.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if "HTTP_AUTHORIZATION" in request.META and is_for_programs(request):
            request.user = AnonymousUser()
        else:
            request.user = whole(
                request, person_of(request)
            )  # not lazily: `preferences` asks at each request
            if request.user.is_authenticated:
                cast(SessionStore, request.session).note_use(timezone.now())


def preferences(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Use the profile's language; without one, LocaleMiddleware's choice stays.

    Costs no query: without a session cookie nobody is looked up, with one the page needs them.
    It makes the page vary by cookie, so that caches keep the languages apart.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not (user.is_authenticated and user.language):
            return get_response(request)
        request.LANGUAGE_CODE = user.language
        with translation.override(user.language):
            response = get_response(request)
        response.headers["Content-Language"] = user.language
        return response

    return middleware
