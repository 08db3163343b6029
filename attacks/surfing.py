"""A browser without a screen: signs in, follows links, and knows the forms it has seen."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

TOKEN = "csrfmiddlewaretoken"
#: What tells one row from another in an address.
ROW = re.compile(r"[0-9a-f-]{36}|\d+|(?<=/)[A-Za-z0-9_-]{30,}(?=/)")
#: These end the session, or begin a download that has no forms.
NEVER = re.compile(r"/logout/|/static/|\.(ics|csv|json|js|webmanifest)$|/jsi18n/")


@dataclass
class Form:
    """A form as a page showed it."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    page: str = ""


class Page(HTMLParser):
    """The links and forms of a page, and its token."""

    def __init__(self, text: str, url: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.token = ""
        self._url = url
        self._form: Form | None = None
        self._select = ""
        self._area = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in got:
            self.links.append(urljoin(self._url, got["href"]))
        elif tag == "form":
            action = urljoin(self._url, got.get("action", ""))
            self._form = Form(got.get("method", "get").upper(), action, page=self._url)
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, got)

    def _field(self, tag: str, got: dict[str, str]) -> None:
        assert self._form is not None
        name, value = got.get("name", ""), got.get("value", "")
        if name == TOKEN:
            self.token = value
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            known = [
                index for index, pair in enumerate(self._form.fields) if pair[0] == self._select
            ]
            if not known:
                self._form.fields.append((self._select, value))
            elif "selected" in got:
                self._form.fields[known[0]] = (self._select, value)
        elif tag == "textarea" and name:
            self._form.fields.append((name, ""))
        elif tag in ("input", "button") and name:
            self._form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


class ShutOut(Exception):
    """Somebody can't sign in (any more)."""


class Surfer:
    """Somebody at the site, signed in or not."""

    def __init__(self, client: httpx.Client, login: str = "", password: str = "") -> None:
        self.client, self.login, self._password = client, login, password
        self.token = ""
        self.forms: dict[str, Form] = {}
        self.pages: dict[str, httpx.Response] = {}
        if login:
            self.sign_in()

    def sign_in(self) -> None:
        self.client.cookies.clear()
        self._read(self.client.get("/accounts/login/"))
        fields = {TOKEN: self.token, "username": self.login, "password": self._password}
        answer = self.client.post("/accounts/login/", data=fields)
        if answer.status_code != 302:
            raise ShutOut(f"{self.login} could not sign in: {answer.status_code}")
        self._read(self.client.get("/"))

    def look_around(self, starts: list[str], *, most: int, of_a_kind: int = 2) -> None:
        """Follow links from these pages; of pages that differ by a row alone, a few are enough."""
        waiting, seen = list(starts), Counter[str]()
        while waiting and len(self.pages) < most:
            path = waiting.pop(0)
            if path in self.pages or NEVER.search(urlsplit(path).path):
                continue
            kind = shape(path)
            if seen[kind] >= of_a_kind:
                continue
            seen[kind] += 1
            page = self._read(self.client.get(path))
            self.pages[path] = page
            if "text/html" in page.headers.get("content-type", ""):
                found = Page(page.text, str(page.url))
                host = page.url.netloc
                waiting += [
                    link[link.index("/", 8) :].split("#")[0]
                    for link in found.links
                    if httpx.URL(link).netloc == host and link.count("/") > 2
                ]
                for form in found.forms:
                    names = ",".join(sorted({name for name, _value in form.fields}))
                    self.forms.setdefault(f"{form.method} {shape(form.action)} {names}", form)
            elif 300 <= page.status_code < 400:
                onward = urljoin(str(page.url), page.headers["location"])
                if httpx.URL(onward).netloc == page.url.netloc:
                    waiting.append(onward[onward.index("/", 8) :])

    def _read(self, page: httpx.Response) -> httpx.Response:
        found = re.search(rf'name="{TOKEN}" value="([^"]+)"', page.text)
        if found:
            self.token = found[1]
        return page


def shape(path: str) -> str:
    """Return an address without what tells its row from others: /bookings/*/?date=*"""
    parts = urlsplit(path)
    names = sorted({pair.split("=")[0] for pair in parts.query.split("&") if pair})
    return ROW.sub("*", parts.path) + ("?" + "&".join(names) if names else "")
