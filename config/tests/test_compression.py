"""What is sent compressed, to whom, and that its length gives nothing away."""

import gzip
import json
import zlib

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.tests.programs import issue, program
from config import compression
from spaces.factories import open_space

pytestmark = pytest.mark.any_database

LONG = "<p>A place by the window</p>\n" * 100


def answer(content=LONG, accept="gzip, deflate, br", site=None, **headers):
    """Return how an answer is sent."""
    response = HttpResponse(content, headers={"Content-Type": "text/html", **headers})
    request = RequestFactory().get("/", headers={"accept-encoding": accept})
    if site is not None:
        request.META["HTTP_SEC_FETCH_SITE"] = site
    return compression.middleware(lambda request: response)(request)


def is_compressed(response):
    return response.headers.get("Content-Encoding") == "gzip"


# --- What arrives


def test_it_is_what_was_written():
    response = answer()
    assert is_compressed(response)
    assert gzip.decompress(response.content).decode() == LONG
    assert len(response.content) < len(LONG) / 5


def test_any_bytes_arrive():
    for length in (1000, 65_535, 65_536, 300_000):
        content = bytes(n * n % 251 for n in range(length))
        assert gzip.decompress(compression.compressed(content)) == content


def test_browsers_read_it_as_a_stream():
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    content = compression.compressed(LONG.encode())
    assert b"".join(stream.decompress(bytes([byte])) for byte in content).decode() == LONG
    assert stream.eof
    assert stream.unused_data == b""


# --- What is compressed


@pytest.mark.parametrize(
    "kind",
    ["text/html; charset=utf-8", "application/json", "application/problem+json", "text/calendar",
     "text/csv", "application/vnd.oai.openapi+json"],
)  # fmt: skip
def test_text_is(kind):
    assert is_compressed(answer(**{"Content-Type": kind}))


@pytest.mark.parametrize("kind", ["image/png", "font/woff2", "application/zip", "jsonp/text"])
def test_other_things_are_not(kind):
    response = answer(**{"Content-Type": kind})
    assert not is_compressed(response)
    assert "Vary" not in response.headers


def test_what_fits_into_a_packet_is_not():
    assert not is_compressed(answer("x" * (compression.SHORT - 1)))
    assert is_compressed(answer("x" * compression.SHORT))


def test_what_is_encoded_already_is_not():
    response = answer(**{"Content-Encoding": "br"})
    assert response.headers["Content-Encoding"] == "br"
    assert response.content.decode() == LONG


# --- For whom


@pytest.mark.parametrize(
    "accept",
    [
        "gzip",
        "GZIP".lower(),
        "br, gzip",
        "gzip;q=0.5",
        "gzip;q=1.0, identity; q=0.5",
        "br;q=0,gzip",
    ],
)
def test_whoever_takes_it_gets_it(accept):
    assert is_compressed(answer(accept=accept))


@pytest.mark.parametrize(
    "accept", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, br", "gzip ;q=0.000", "xgzipx"]
)
def test_others_get_it_as_it_is(accept):
    response = answer(accept=accept)
    assert not is_compressed(response)
    assert response.content.decode() == LONG
    assert response.headers["Vary"] == "Accept-Encoding"  # a cache keeps both


# --- What it must not break


def test_a_label_of_the_bytes_becomes_one_of_the_content():
    assert answer(ETag='"abc"').headers["ETag"] == 'W/"abc"'
    assert answer(ETag='W/"abc"').headers["ETag"] == 'W/"abc"'
    assert answer(ETag='"abc"', accept="").headers["ETag"] == '"abc"'


def test_the_length_is_that_of_what_is_sent():
    response = answer(**{"Content-Length": str(len(LONG))})
    assert int(response.headers["Content-Length"]) == len(response.content)


def test_it_varies_by_what_it_varied_by_before():
    assert answer(Vary="Cookie").headers["Vary"] == "Cookie, Accept-Encoding"


@pytest.mark.django_db
def test_a_program_asks_again_with_what_it_got(alice, space):
    api = program(issue(alice)[1])
    for n in range(10):
        open_space(slug=f"s{n}", name=f"Space {n}", places=1)
    first = api.get("/api/v1/spaces", headers={"accept-encoding": "gzip"})
    assert is_compressed(first)
    assert len(json.loads(gzip.decompress(first.content))["items"]) >= 10
    again = {"accept-encoding": "gzip", "if-none-match": first.headers["ETag"]}
    assert api.get("/api/v1/spaces", headers=again).status_code == 304


@pytest.mark.django_db
def test_a_board_is_short_on_the_wire(client, soon):
    open_space(slug="hall", name="Hall", places=50)
    path = f"/spaces/hall/?date={soon:%Y-%m-%d}"
    page = client.get(path, headers={"accept-encoding": "gzip, deflate"})
    assert len(page.content) <= 12_000 < len(gzip.decompress(page.content))


# --- That its length gives nothing away


def test_the_same_answer_has_many_lengths():
    lengths = {len(compression.compressed(LONG.encode())) for _again in range(200)}
    assert len(lengths) > 30


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none", None])
def test_our_own_pages_cause_compressed_answers(site):
    assert is_compressed(answer(site=site))


def test_other_sites_do_not():
    """They could put guesses into the address, and watch the length of the answer."""
    response = answer(site="cross-site")
    assert not is_compressed(response)
    assert response.content.decode() == LONG
