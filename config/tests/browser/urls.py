"""The site, with two URLs that break."""

from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


@login_not_required
def unreachable(request: HttpRequest) -> HttpResponse:
    raise OperationalError("no database, on purpose")


urlpatterns = [*site, path("broken/", broken), path("unreachable/", unreachable)]
