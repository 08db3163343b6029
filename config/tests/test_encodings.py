"""Encodings that a request may name: one that isn't for text is refused like any other."""

import httpx
import pytest

from config.handler import Handler

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("charset", ["hex", "base64", "rot13", "utf-16", "nonsense", "latin-1"])
def test_an_encoding_that_no_browser_sends_is_refused(db, settings, charset, caplog):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    site = httpx.Client(transport=httpx.WSGITransport(app=Handler()), base_url="http://127.0.0.1")
    answer = site.get("/healthz?q=1", headers={"content-type": f"text/plain; charset={charset}"})
    assert answer.status_code in {200, 400}
    assert not [record for record in caplog.records if record.exc_info]
