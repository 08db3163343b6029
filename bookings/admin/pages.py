"""Our own pages inside the admin.

Services run durable transactions, and Django wraps its change form in one: so anything that changes
a booking is a separate page.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

type View = Callable[..., HttpResponse]
type Desk = ModelAdmin[Any]

#: How many rows fit on one confirmation page.
MOST = 200

methods = require_http_methods(["GET", "HEAD", "POST"])


def address(desk: Desk, route: str, view: View) -> URLPattern:
    """Return the URL pattern of a view in this admin: `<app>_<model>_<route>`, staff only."""
    name = f"{desk.opts.app_label}_{desk.opts.model_name}_{route}"
    return path(f"{route}/", desk.admin_site.admin_view(methods(view)), name=name)


def page(
    desk: Desk, request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    common = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "preserved_filters": desk.get_preserved_filters(request),
    }
    return TemplateResponse(request, template, common | context, status=status)


def lines(form: forms.Form, *fields: str | tuple[str, ...]) -> AdminForm:
    """Lay a form out as the admin does; fields in a tuple share a line."""
    fieldsets: Any = [(None, {"fields": fields})]
    return AdminForm(form, fieldsets, {})  # type: ignore[arg-type]  # it takes any form


def back_to_list(desk: Desk, request: HttpRequest) -> HttpResponse:
    """Return to the list with its filters."""
    url = reverse(f"admin:{desk.opts.app_label}_{desk.opts.model_name}_changelist")
    context: dict[str, Any] = {
        "preserved_filters": desk.get_preserved_filters(request),
        "opts": desk.opts,
    }
    return redirect(add_preserved_filters(context, url))


class CodesField(forms.CharField):
    """Booking codes in a single hidden value, because the number of form fields is limited."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> list[UUID]:  # type: ignore[override]  # of many
        text = super().to_python(value) or ""
        try:
            return [UUID(code) for code in text.split(",") if code]
        except ValueError as error:
            raise ValidationError(_("These are not booking codes.")) from error


def write_codes(codes: Iterable[UUID]) -> str:
    return ",".join(map(str, codes))
