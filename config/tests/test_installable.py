"""The site can be put on a home screen."""

import struct

import pytest
from django.contrib.staticfiles import finders
from django.utils import translation

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def size_of(path):
    """Return width and height of a PNG (https://www.w3.org/TR/png-3/#11IHDR)."""
    with open(finders.find(path), "rb") as file:
        head = file.read(24)
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:])


def test_every_page_leads_to_a_manifest_that_browsers_install(client):
    page = client.get("/accounts/login/").text
    assert '<link rel="manifest" href="/manifest.webmanifest">' in page
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    found = answer.json()
    assert {"name", "start_url", "display", "icons"} <= set(found)
    for icon in found["icons"]:
        width, height = size_of(icon["src"].removeprefix("/static/"))
        assert icon["sizes"] == f"{width}x{height}"
    assert {icon["sizes"] for icon in found["icons"]} == {"192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in found["icons"])


def test_it_is_in_the_reader_s_language(client):
    found = client.get("/manifest.webmanifest", headers={"accept-language": "ru"}).json()
    assert found["lang"] == "ru"
    with translation.override("ru"):
        assert found["shortcuts"][0]["name"] == translation.gettext("My bookings")


def test_who_asks_for_a_favicon_gets_one(client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert size_of(answer["Location"].removeprefix("/static/")) == (192, 192)


def test_pictures_are_small_and_of_the_size_that_previews_have():
    assert size_of("img/preview.png") == (1200, 630)
    assert size_of("img/icon-180.png") == (180, 180)
