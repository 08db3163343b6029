"""Parts of pages that are rendered once: they show what they would show anew."""

from itertools import product
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils.translation import override

from accounts.templatetags import remembered

pytestmark = pytest.mark.any_database

PATHS = ["/", "/bookings/", "/bookings/history/", "/accounts/profile/", "/accounts/login/"]
PEOPLE = [
    SimpleNamespace(is_authenticated=False),
    *(
        SimpleNamespace(
            is_authenticated=True,
            theme="DARK",
            upcoming_count=count,
            is_space_staff=is_staff,
            is_superuser=is_admin,
            get_short_name=f"name-{count}",
        )
        for count, is_staff, is_admin in product([0, 2, 3], [False, True], [False, True])
    ),
]


@pytest.fixture(autouse=True)
def forgetful():
    remembered._texts.clear()


def test_it_is_rendered_once_for_each_value_and_language():
    template = Template(
        "{% load remembered i18n %}{% remember x %}{% translate 'Place' %} {{ y }}{% endremember %}"
    )

    def shown(**values):
        return template.render(Context(values))

    assert shown(x=1, y="first") == "Place first"
    assert shown(x=1, y="second") == "Place first"
    assert shown(x=2, y="second") == "Place second"
    with override("ru"):
        assert shown(x=1, y="third") == "Место third"


def test_the_frame_of_every_page(rf):
    """Whoever looked before: each frame equals the one that nothing was remembered for."""

    def frame(path, user, language):
        request = rf.get(path)
        request.resolver_match, request.user, request.htmx = resolve(path), user, False
        with override(language):
            return render_to_string("base.html", {"csrf_token": "token"}, request)

    all_of_them = list(product(PATHS, PEOPLE, ["en", "ru"]))
    fresh = []
    for each in all_of_them:
        remembered._texts.clear()
        fresh.append(frame(*each))
    assert len(set(fresh)) > len(fresh) / 2
    assert [frame(*each) for each in all_of_them] == fresh
    assert [frame(*each) for each in all_of_them] == fresh  # all remembered by now
