"""Mail is set up by one URL; errors in it are reported before anything is sent."""

from io import StringIO

import pytest
from django.core.mail import EmailMultiAlternatives, mailers

from config import checks
from config.mailers import mailer

pytestmark = pytest.mark.any_database

SMTP = "django.core.mail.backends.smtp.EmailBackend"


def ids(found):
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example:2525", {"port": 2525, "use_tls": False, "use_ssl": False}),
        ("smtp+tls://u:p%40s@mail.example:587", {"username": "u", "password": "p@s"}),
        ("smtp+tls://mail.example", {"use_tls": True, "use_ssl": False}),
        ("smtp+ssl://mail.example", {"use_tls": False, "use_ssl": True}),
        ("smtps://mail.example:465", {"use_tls": False, "use_ssl": True}),
        ("smtp://mail.example", {"host": "mail.example", "timeout": 10}),
        ("smtp://mail.example/?timeout=30", {"timeout": 30}),
    ],
)
def test_a_url_names_a_mail_server(settings, url, expected):
    found = mailer(url)
    assert found["BACKEND"] == SMTP
    assert found["OPTIONS"] | expected == found["OPTIONS"]
    settings.MAILERS = {"default": found}
    assert checks.mail_server(None) == []


@pytest.mark.parametrize("url", ["consolemail://", "memorymail://", "dummymail://"])
def test_mail_can_be_printed(settings, url):
    settings.MAILERS = {"default": mailer(url)}
    assert checks.mail_server(None) == []


def test_printed_mail_can_be_read(settings, monkeypatch):
    link = f"http://127.0.0.1:8000/bookings/{'0' * 80}/"
    mail = EmailMultiAlternatives(
        "Стол 5 — за вами", f"Открыть: {link}\n", "mesto@localhost", ["member@example.org"]
    )
    mail.attach_alternative("<p>HTML</p>", "text/html")
    mail.attach("invite.ics", "BEGIN:VCALENDAR", "text/calendar")
    settings.MAILERS = {"default": mailer("consolemail://")}
    printed = StringIO()
    monkeypatch.setattr("sys.stdout", printed)

    assert mailers["default"].send_messages([mail]) == 1

    text = printed.getvalue()
    assert "Subject: Стол 5 — за вами\n" in text
    assert "To: member@example.org\nAttached: invite.ics\n" in text
    assert f"Открыть: {link}\n" in text
    assert "HTML" not in text


@pytest.mark.parametrize(
    "url", ["", "console", "mailto:a@b.example", "smtp://h:port", "smtp://h/?colour=red"]
)
def test_a_mail_server_that_cannot_be_used_is_an_error(settings, url):
    settings.MAILERS = {"default": mailer(url)}
    assert ids(checks.mail_server(None)) == ["mesto.E011"]


@pytest.mark.parametrize(
    "url", ["", "book.example.org", "ftp://example.org", "https://", "http://[x", "http://a:b"]
)
def test_an_invalid_site_url_is_an_error(settings, url):
    settings.SITE_URL = url
    assert ids(checks.site_url(None)) == ["mesto.E010"]


@pytest.mark.parametrize("url", ["https://example.org", "http://127.0.0.1:8000", "http://[::1]:80"])
def test_a_valid_site_url_is_accepted(settings, url):
    settings.SITE_URL = url
    assert checks.site_url(None) == []


@pytest.mark.parametrize(
    "sender", ["", "Mesto", "a@b@c", "a@b.example, c@d.example", "Mesto <a@b.example>\nBcc: x@y.z"]
)
def test_a_sender_that_is_not_an_address_is_an_error(settings, sender):
    settings.MAIL_FROM = sender
    assert ids(checks.mail_sender(None)) == ["mesto.E012"]


@pytest.mark.parametrize("sender", ["mesto@localhost", "Место <mesto@example.org>"])
def test_a_valid_sender_is_accepted(settings, sender):
    settings.MAIL_FROM = sender
    assert checks.mail_sender(None) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]"])
def test_in_production_links_lead_to_a_public_address(settings, url):
    settings.SITE_URL = url
    assert ids(checks.public_site_url(None)) == ["mesto.W010"]
    settings.SITE_URL = "https://book.example.org"
    assert checks.public_site_url(None) == []


def test_in_production_mail_is_sent(settings):
    settings.MAILERS = {"default": mailer("consolemail://")}
    assert ids(checks.mail_leaves(None)) == ["mesto.W011"]
    settings.MAILERS = {"default": mailer("smtp://mail.example")}
    assert checks.mail_leaves(None) == []
