"""Django admin, opened to the staff of spaces."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import unquote

from django.apps import apps
from django.contrib.admin import AdminSite, site
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import SOURCE_MODEL_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts import replica

KEY = re.compile(r"[0-9]{1,18}")

methods = require_http_methods(["GET", "HEAD", "POST"])


def sensible[View: Callable[..., Any]](view: View) -> View:
    """Answer 400 to values that no page here sends and a database can't even compare.

    Django reads filters and ticked rows without a form, so such values would end in a 500.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        ticked = [
            key
            for data in (request.GET, request.POST)
            for key in data.getlist(ACTION_CHECKBOX_NAME)
        ]
        numbers = [*ticked, *request.GET.getlist(PAGE_VAR)]
        if not all(map(KEY.fullmatch, numbers)) or "\x00" in unquote(request.META["QUERY_STRING"]):
            raise BadRequest
        if (source := request.POST.get(SOURCE_MODEL_VAR)) and not _has_form(source, request):
            raise BadRequest
        if "" in (request.GET.get(TO_FIELD_VAR), request.POST.get(TO_FIELD_VAR)):
            raise BadRequest
        try:
            return view(request, *args, **kwargs)
        except OverflowError as error:  # a key too large for SQLite, chosen in a list
            raise BadRequest from error

    return cast(View, checked)


def _has_form(source: str, request: HttpRequest) -> bool:
    """Tell whether a form that this person may use can have opened a window for another one.

    Django takes the name apart without a look, and makes any model's form.
    """
    try:
        model_admin = site.get_model_admin(apps.get_model(source))
    except (LookupError, ValueError, NotRegistered):
        return False
    return model_admin.has_add_permission(request) or model_admin.has_change_permission(request)


def sentences() -> list[str]:
    from config.heartbeat import Attendance  # models aren't loaded yet when this module is

    # A replica hears of no heartbeat: it can't tell whether workers are there.
    return [] if replica.is_read() else Attendance.at(timezone.now()).sentences


class MestoAdminConfig(AdminConfig):
    default_site = "config.admin.MestoAdminSite"


class MestoAdminSite(AdminSite):
    site_title = _("Mesto")
    site_header = _("Mesto")
    index_title = _("Front desk")
    enable_nav_sidebar = False  # each page's header has the links; lists get the space

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Let the front desk's pages say what is amiss; the others don't check."""
        return {**super().each_context(request), "amiss": SimpleLazyObject(sentences)}

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in superusers and everyone who works for a space."""
        user = request.user
        return user.is_active and (user.is_superuser or getattr(user, "is_space_staff", False))

    def admin_view[View: Callable[..., Any]](self, view: View, cacheable: bool = False) -> View:
        return super().admin_view(methods(sensible(view)), cacheable)

    def password_change(  # type: ignore[override]  # the stubs know no redirect
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the one page for passwords; it changes nothing but the password."""
        return redirect("password")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out the view that turns any row's key into its page: it doesn't know roles."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    @method_decorator(methods)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Send visitors to the one sign-in page; refuse signed-in people who may not enter."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(reverse("login", query={"next": wanted}))
