"""Whose address a request has when our own proxies are in front."""

import pytest
from django.test import RequestFactory

from config.middleware import client_address

pytestmark = pytest.mark.any_database


def address(settings, proxies, forwarded):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers=forwarded)
    return client_address(lambda request: request.META["REMOTE_ADDR"])(request)


@pytest.mark.parametrize(
    ("proxies", "header", "found"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7:41000", "203.0.113.7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "[2001:db8::7]:41000", "2001:db8::7"),
        (1, " ", "10.0.0.1"),
    ],
)
def test_only_what_our_proxies_wrote_is_believed(settings, proxies, header, found):
    assert address(settings, proxies, {"x-forwarded-for": header}) == found


def test_without_the_header_it_is_the_callers_address(settings):
    assert address(settings, 1, {}) == "10.0.0.1"
