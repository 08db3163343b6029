"""Answers are compressed, in a way that gives no secret away by its length.

Another site could learn a secret in a page (say, a calendar's address) by making a person's browser
ask for that page with one guess after another in its address, which pages repeat, and watching how
well the answers compress ("BREACH"). So what another site caused is sent as it is; and for browsers
that don't tell who caused a request, each answer's length varies at random, as Django does it.
"""

import re
import secrets
from collections.abc import Callable
from struct import pack

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from isal import isal_zlib

#: What is text. Pictures, fonts and archives are compressed already.
TEXT = re.compile(r"text/|application/(?:[\w.]+\+)?json\b")
#: A browser that doesn't want it leaves it out; a quality of 0 says so too (RFC 9110, 12.4.2).
TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")

SHORT = 1000  # bytes: they fit into one packet as they are
LEVEL = 1  # measured: higher ones save little
RANDOM_BYTES = 100  # at most

#: RFC 1952: gzip, by "deflate", with a file name, without a time.
HEADER = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x04\xff"
WITHOUT_HEADER = -15


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def compressing(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, HttpResponse) and _is_worth_it(response):
            patch_vary_headers(response, ["Accept-Encoding"])
            if _may_be_compressed(request):
                _compress(response)
        return response

    return compressing


def compressed(content: bytes) -> bytes:
    """Return content as gzip, with a name of random length that everybody ignores."""
    name = b"m" * secrets.randbelow(RANDOM_BYTES) + b"\x00"
    packed = isal_zlib.compress(content, LEVEL, WITHOUT_HEADER)
    end = pack("<II", isal_zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return b"".join((HEADER, name, packed, end))


def _is_worth_it(response: HttpResponse) -> bool:
    return (
        len(response.content) >= SHORT
        and "Content-Encoding" not in response.headers
        and TEXT.match(response.headers.get("Content-Type", "")) is not None
    )


def _may_be_compressed(request: HttpRequest) -> bool:
    """Tell whether the browser wants it, and no other site caused the request."""
    return (
        request.META.get("HTTP_SEC_FETCH_SITE") != "cross-site"
        and TAKES_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")) is not None
    )


def _compress(response: HttpResponse) -> None:
    response.content = compressed(response.content)
    headers = response.headers
    headers["Content-Encoding"] = "gzip"
    if "Content-Length" in headers:
        headers["Content-Length"] = str(len(response.content))
    if (tag := headers.get("ETag", "")).startswith('"'):
        headers["ETag"] = f"W/{tag}"  # these bytes aren't the same (RFC 9110, 8.8.1)
