"""Resubmit forms that were sent while signed out, or that had expired."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts import presses
from accounts.addresses import address_of
from accounts.api.limits import count
from accounts.presses import Press
from accounts.requests import AuthenticatedRequest

#: Submissions that visitors at one address may leave with us per hour: each is a row.
MOST_OF_AN_ADDRESS = 200
AN_HOUR = 60 * 60


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Keep what is sent to a page that needs a sign-in first, and show it afterwards.

    All such answers pass through here, whoever gave them, so that no form can be forgotten.
    """

    def answered(request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and not _by_htmx(request) and request.user.is_authenticated:
            if key := presses.take_waiting(request):
                return redirect("again", key)
            return get_response(request)
        if request.method == "POST" and request.user.is_authenticated:
            presses.forget(request, now=timezone.now())
        response = get_response(request)
        if not _asks_to_sign_in(request, response):
            return response
        if request.method == "POST":
            _keep(request)
        elif _by_htmx(request):
            door = urlsplit(response["Location"]).path
            return _whole_page(f"{door}?{urlencode({'next': _page(request)})}")
        else:
            presses.wait(request, request.get_full_path(), None)
        if _by_htmx(request):
            return _whole_page(response["Location"])
        return response

    return answered


@require_safe
@never_cache
def again(request: AuthenticatedRequest, key: str) -> HttpResponse:
    """Show what was sent before signing in, ready to submit with one click."""
    now = timezone.now()
    press = presses.find(request, key, now=now)
    if press is None:
        messages.info(
            request,
            _("That was sent already, or too long ago to send again. Look, then start over."),
        )
        return redirect("home")
    others = [
        (other, each.lines(request.user) or [str(each.words)])
        for other, each in presses.others(request, key, now=now)
    ]
    context = {"press": press, "lines": press.lines(request.user), "others": others}
    return render(request, "accounts/again.html", context)


def old_form(request: HttpRequest) -> HttpResponse:
    """Say that a form has expired: its token predates a sign-in. Keep it ready for one click.

    Not for what another site may have sent; and nobody has to sign in twice.
    """
    context: dict[str, object] = {"status": HTTPStatus.FORBIDDEN}
    if request.user.is_authenticated and request.path in {reverse("login"), reverse("register")}:
        context["onward"] = request.get_full_path()
    elif presses.is_ours(request):
        press = Press.of(request, now=timezone.now())
        if _by_htmx(request):
            key = presses.keep(request, press)
            return _whole_page(reverse("again", args=[key]))
        context |= {"press": press, "lines": press.lines(request.user)}
    return render(request, "errors/csrf.html", context, status=HTTPStatus.FORBIDDEN)


def _keep(request: HttpRequest) -> None:
    if count("press", address_of(request) or "unknown", window=AN_HOUR) > MOST_OF_AN_ADDRESS:
        return
    press = Press.of(request, now=timezone.now())
    presses.wait(request, press.path, presses.keep(request, press))


def _asks_to_sign_in(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether an answer sends somebody to say who they are, and then back here.

    Visitors sign in; others are asked again, or set up a second factor first.
    """
    if not isinstance(response, HttpResponseRedirect):
        return False
    to = urlsplit(response.url)
    back = parse_qs(to.query).get("next", [""])[0]
    signed_in = request.user.is_authenticated
    doors = map(reverse, ("sure", "factors") if signed_in else ("login", "admin:login"))
    return to.path in set(doors) and back == request.get_full_path()


def _whole_page(url: str) -> HttpResponse:
    """Make htmx navigate somewhere instead of swapping the answer into the page."""
    response = HttpResponseClientRedirect(url)
    add_never_cache_headers(response)
    return response


def _by_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _page(request: HttpRequest) -> str:
    """Return the page from which htmx sends its request, which is for just a part of it."""
    url = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}):
        return request.get_full_path()
    return urlsplit(url)._replace(scheme="", netloc="", fragment="").geturl()
