"""Django admin, opened to the staff of spaces."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class MestoAdminConfig(AdminConfig):
    default_site = "config.admin.MestoAdminSite"


class MestoAdminSite(AdminSite):
    site_title = _("Mesto")
    site_header = _("Mesto")
    index_title = _("Front desk")
    enable_nav_sidebar = False  # the head of each page has the links; lists get the room

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in superusers and everyone who runs a space."""
        user = request.user
        return user.is_active and (user.is_superuser or getattr(user, "is_space_staff", False))

    @login_not_required
    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Send visitors to the one sign-in page; refuse who is signed in and may not enter."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(reverse("login", query={"next": wanted}))
