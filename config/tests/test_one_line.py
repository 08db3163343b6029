"""Requests that are refused as attacks: one line in the log for each."""

import io
import logging

import pytest
from django.conf import settings
from django.test import Client

from accounts.factories import UserFactory
from config.one_line import OneLine

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def written():
    """Log as the site does, into memory."""
    handler = logging.StreamHandler(stream := io.StringIO())
    found = logging.getLogger("django.security")
    handler.addFilter(OneLine())
    found.addHandler(handler)
    yield stream
    found.removeHandler(handler)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/bookings/booking/?member__password__startswith=a",
        "/admin/spaces/place/?space__staff_roles__user__password=a%0Ab",
        "/admin/bookings/booking/?_to_field=password",
    ],
)
def test_a_refused_look_up_is_one_line(written, path):
    client = Client()
    client.force_login(UserFactory.create(is_superuser=True), backend="config.auth.Backend")
    assert client.get(path).status_code == 400
    assert written.getvalue().count("\n") == 1


def test_a_wrong_host_is_one_line(written):
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400
    assert written.getvalue().count("\n") == 1


def test_it_is_set_up_where_the_site_logs():
    for handler in settings.LOGGING["handlers"].values():
        assert "one_line" in handler["filters"]
