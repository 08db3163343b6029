"""Our template of a select writes what Django's does, and no option includes a template."""

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer

pytestmark = pytest.mark.any_database

CHOICES = [
    ("", "none"),
    (1000, "<b> & \"quoted\" 'words'"),
    ("Europe", [("Europe/Moscow", "Москва"), ('"><script>', "Elsewhere")]),
]


class WithAttributes(forms.Select):
    def create_option(self, *args, **kwargs):
        more = {"data-n": 1000, "disabled": True, "hidden": False}
        option = super().create_option(*args, **kwargs)
        return option | {"attrs": option["attrs"] | more}


def written(widget, value, renderer):
    return widget.render("zone", value, {"id": 'a"b', "required": True}, renderer).split()


@pytest.mark.parametrize("kind", [forms.Select, forms.SelectMultiple, WithAttributes])
@pytest.mark.parametrize("value", [None, "", 1000, "1000", "Europe/Moscow", ['"><script>', ""]])
def test_a_select_is_written_as_django_writes_it(kind, value):
    widget = kind(choices=CHOICES)
    ours = written(widget, value, get_default_renderer())
    assert ours == written(widget, value, DjangoTemplates())
    assert len(ours) > 10


def test_it_is_our_template_that_is_used():
    origin = get_default_renderer().get_template(forms.Select.template_name).origin.name
    assert origin.endswith("/templates/django/forms/widgets/select.html")
    assert "site-packages" not in origin
