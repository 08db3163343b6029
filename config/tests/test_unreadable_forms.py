"""A form that can't be read, where an error page is the first to try."""

import logging

import pytest
from django.db import OperationalError

from config import errors

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
UNREADABLE = {
    "no boundary": ("multipart/form-data", b"a"),
    "a boundary that isn't one": ("multipart/form-data; boundary=\xff", b"a"),
    "no length that a file may have": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--x--",
    ),
    "too many files": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nb\r\n' * 200
        + b"--x--",
    ),
    "too many fields": (FORM, b"a=1&" * 1500),
    "too many bytes": (FORM, b"a=" + b"1" * 3_000_000),
}
at_each = pytest.mark.parametrize(("content_type", "body"), UNREADABLE.values(), ids=UNREADABLE)


@pytest.fixture
def visitor(client, alice):
    """Somebody with a cookie for forms: only then is a form looked at."""
    client.handler.enforce_csrf_checks = True
    client.force_login(alice)
    client.get("/accounts/profile/")
    assert "csrftoken" in client.cookies
    return client


@at_each
@pytest.mark.parametrize("path", ["/accounts/nothing/", "/accounts/%ED%9F%BF/", "/api/v1/nothing"])
def test_no_such_page(visitor, path, content_type, body):
    assert visitor.generic("POST", path, body, content_type).status_code == 404


@at_each
def test_a_page_that_is_there_refuses_it(visitor, content_type, body):
    answer = visitor.generic("POST", "/accounts/profile/", body, content_type)
    assert answer.status_code == 400


@at_each
def test_a_request_that_is_refused_before_its_form_is_read(visitor, content_type, body):
    charset = f"{content_type}; charset=utf-16"
    assert visitor.generic("POST", "/accounts/profile/", body, charset).status_code == 400


@at_each
def test_while_the_database_is_down(rf, content_type, body):
    """The page says so, and doesn't offer to send again what it could not read."""
    request = rf.generic("POST", "/accounts/profile/", body, content_type)
    try:
        raise OperationalError
    except OperationalError:
        answer = errors.server_error(request)
    assert answer.status_code == 503
    assert "<form" not in answer.text


def test_what_breaks_an_error_page_is_logged(client, monkeypatch, caplog):
    monkeypatch.setattr(errors, "render", None)  # a bug
    client.raise_request_exception = False
    assert client.get("/nothing").status_code == 500
    records = [record for record in caplog.records if record.exc_info]
    assert [(record.name, record.levelno) for record in records] == [("mesto", logging.ERROR)]
