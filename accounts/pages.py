"""What pages with forms have in common."""

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.tries import TooOften


def too_often(
    request: HttpRequest, template: str, form: BaseForm, error: TooOften, **context: Any
) -> HttpResponse:
    """Keep the form, and say when it may be submitted again (RFC 6585, section 4)."""
    form.add_error(None, str(error))
    page = render(request, template, {"form": form, **context}, status=429)
    page.headers["Retry-After"] = str(error.seconds)
    return page
