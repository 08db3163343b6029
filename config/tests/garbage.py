"""What nobody should send, and the forms to send it in."""

import os
from html.parser import HTMLParser

from django.db import connection

TOKEN = "csrfmiddlewaretoken"

#: In the pass beside the one that sends everything: here only what a database may refuse.
IS_ELSEWHERE = "DIVIDED" in os.environ and connection.vendor != "sqlite"

SCRIPT = "\"'><script>alert(1)</script>"
FOR_DATABASES = [
    "",
    "\x00",
    "-1",
    "9" * 30,
    "9" * 5000,
    "NaN",
    "1e9",
    "٣٣٣٣-١١-٢٥",
    "2026-02-30T25:61",
    "9999-12-31T23:59",
    "\U0001f468\u200d\u202e\ufffe",
]
FOR_PAGES = [
    SCRIPT,
    "{{ x }}{% x %}%(x)s%d{0.__class__}",
    "../../../etc/passwd",
    "a\r\nSet-Cookie: b=c",
    "//evil.example/",
    "00000000-0000-0000-0000-000000000000",
]
GARBAGE = FOR_DATABASES if IS_ELSEWHERE else FOR_DATABASES + FOR_PAGES
#: What a database may not take.
WORST = ["\x00", "9" * 30]
TYPED = ["\x00", "9" * 30, "-1", "NaN", "²", SCRIPT, "2026-02-30T25:61"]
QUERIES = ["%00=%00", "_selected_action=%00", "codes=1,2"]
QUERIES += [] if IS_ELSEWHERE else ["%ff%fe=%ff", "a=1&" * 1500, "&&==%"]
ASKED = [
    *("date", "from", "to", "party", "feature", "sort", "place", "move", "state", "space", "page"),
    *("next", "day", "over", "q", "o", "p", "e", "codes", "what", "shown", "member", "first_day"),
    *("starts", "_popup", "_to_field", "starts_at", "ends_at", "party_size", "cursor", "limit"),
    "after",
]
BODIES = [
    ("application/x-www-form-urlencoded", b"\xff\xfe=\xc3\x28&%ff=%fe&%&=&a"),
    ("application/x-www-form-urlencoded", b"a=1&" * 1500),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=1"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="\xff'),
    ("multipart/form-data; boundary=x; charset=hex", b"--x--"),
    ("application/json", b'{"place": '),
    ("text/\xff", b"\x00"),
]
HEADERS = [
    {"HTTP_HOST": "evil.example"},
    {"CONTENT_TYPE": "text/plain; charset=hex"},
    {"HTTP_COOKIE": r'sessionid="aaaaaaaa\000"; csrftoken="\000"; messages="\000"'},
    {"HTTP_COOKIE": 'sessionid=\xff\xfe; django_language="../../x"; messages=[[]]'},
    {"HTTP_ACCEPT_LANGUAGE": "x" * 5000, "HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "\xff"},
    {"REMOTE_ADDR": "\xff", "HTTP_X_FORWARDED_FOR": "\xff, ' OR 1=1"},
]


class PostedForms(HTMLParser):
    """A page's forms that post: (address, [(name, value)]), except those in the frame."""

    def __init__(self, page):
        super().__init__()
        self.found, self._fields = [], None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        got = dict(attrs)
        if tag == "form":
            is_of_frame = got.get("class") == "languages" or "logout" in got.get("action", "")
            self._fields = []
            if got.get("method") == "post" and not is_of_frame:
                self.found.append((got.get("action"), self._fields))
        elif self._fields is not None and got.get("name", TOKEN) != TOKEN:
            self._fields.append((got["name"], got.get("value") or ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self._fields = None
