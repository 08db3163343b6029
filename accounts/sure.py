"""Asked again who it is, before what matters: whoever finds an open session can't do that.

Signing in counts; so does the password, a code or a passkey on the page `sure`, for ten minutes.
What was sent is kept meanwhile, by `accounts.again`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from accounts.models import User

AT = "sure_at"
#: The views that ask, by module and name: a test compares them with what has to.
ASKING: set[str] = set()
FOR = timedelta(minutes=10)


def note(request: HttpRequest, *, now: datetime) -> None:
    request.session[AT] = now.isoformat()


def answered(request: HttpRequest, *, now: datetime) -> None:
    """Note it, and give the session a new key: whoever had found the old one is out."""
    request.session.cycle_key()
    note(request, now=now)


def go_on(request: HttpRequest, url: str) -> HttpResponse:
    """Lead on; to a file by a page, or the browser would stay where it was asked."""
    try:
        view = resolve(urlsplit(url).path).func
    except Resolver404:
        return redirect(url)
    if getattr(view, "gives_file", False):
        return render(request, "accounts/file.html", {"next": url})
    return redirect(url)


def is_sure(request: HttpRequest, *, now: datetime) -> bool:
    text = request.session.get(AT)
    return text is not None and now - FOR < datetime.fromisoformat(text) <= now


def has_no_password(request: HttpRequest) -> bool:
    """Tell whether a page that asks for the password has to ask in another way."""
    user = request.user
    return isinstance(user, User) and not user.has_usable_password()


def signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note it for a session; programs that sign in have none."""
    if request.session.get(SESSION_KEY) == str(user.pk):
        note(request, now=timezone.now())


def asks_again[View: Callable[..., HttpResponseBase]](
    *methods: str,
    when: Callable[[HttpRequest], bool] = lambda request: True,
    gives_file: bool = False,
) -> Callable[[View], View]:
    """Make a view ask who it is, when it is requested with one of these methods and so."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            asks = request.method in methods and request.user.is_authenticated
            if asks and when(request) and not is_sure(request, now=timezone.now()):
                return redirect(reverse("sure", query={"next": request.get_full_path()}))
            return view(request, *args, **kwargs)

        vars(asking)["gives_file"] = gives_file
        ASKING.add(f"{view.__module__}.{view.__qualname__}")
        return cast(View, asking)

    return decorate
