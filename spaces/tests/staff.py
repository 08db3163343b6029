"""The admin as a person uses it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db.models import Model
from django.template.response import SimpleTemplateResponse
from django.urls import reverse

from accounts.models import User
from spaces.models import Place, Space


def sign_in(client, user: User) -> None:
    client.force_login(user, backend="config.auth.Backend")


def list_url(model: type[Space] | type[Place], query: str = "") -> str:
    return reverse(f"admin:spaces_{model._meta.model_name}_changelist") + query


def add_url(model: type[Space] | type[Place]) -> str:
    return reverse(f"admin:spaces_{model._meta.model_name}_add")


def page(row: Model, verb: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{verb}", args=[row.pk])


@contextmanager
def unwritten() -> Iterator[None]:
    """Answer without writing the page: a hundred fields take longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimpleTemplateResponse, "rendered_content", "")
        yield


def filled_in(client, url: str) -> dict[str, object]:
    """Return what the browser would post if nothing were changed on a page."""
    with unwritten():
        context = client.get(url).context_data
    forms = [context["adminform"].form]
    for admin_formset in context["inline_admin_formsets"]:
        formset = admin_formset.formset
        forms += [formset.management_form, *formset.forms]
    data = {}
    for form in forms:
        for field in form:
            value = field.value()
            if not (field.field.disabled or value is None or value is False):
                data[field.html_name] = _posted(field, value)
    return data


def _posted(field, value: object) -> object:
    if isinstance(value, list):
        return [getattr(item, "pk", item) for item in value]
    shown = field.field.widget.format_value(value)
    return shown[0] if isinstance(shown, list) else shown or ""


def errors(response) -> str:
    """Return the text of every error on a page."""
    found = [str(response.context_data["adminform"].form.errors)]
    for admin_formset in response.context_data["inline_admin_formsets"]:
        formset = admin_formset.formset
        found += [str(formset.non_form_errors()), *(str(form.errors) for form in formset.forms)]
    return "".join(found)


def why_not(client, url: str, data: dict[str, object]) -> str:
    """Post a form that is refused; return the text of every error."""
    with unwritten():
        return errors(client.post(url, data))
