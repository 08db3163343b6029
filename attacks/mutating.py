"""Requests that are nearly right: what the site's own forms and operations send, a little spoilt.

The dice are seeded for each person, so a run can be repeated: what is found names its number.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx

from attacks.surfing import TOKEN, Form, Surfer

VALUES = [
    *("", " ", "\x00", "-1", "0", "1", "9" * 30, "9" * 5000, "1e309", "NaN", "inf", "true", "null"),
    *("²", "٣٣٣٣-١١-٢٥", "2026-02-30", "2026-02-30T25:61", "9999-12-31T23:59", "0001-01-01T00:00"),
    *("\U0001f468\u200d\u202e\ufffe", "\ud7ff", "é" * 300, "a" * 70_000, "\r\nSet-Cookie: a=b"),
    *("'\"><script>alert(1)</script>", "{{ 7*7 }}{% debug %}", "%(x)s%d{0.__class__}", "${7*7}"),
    *("' OR '1'='1", "1; DROP TABLE bookings_booking--", "1 AND SLEEP(5)", "' UNION SELECT NULL--"),
    *("../../../../etc/passwd", "..\\..\\windows", "file:///etc/passwd", "//evil.example/"),
    *("http://169.254.169.254/", "http://[::1]/", "javascript:alert(1)", "https://x:y@z"),
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "[]", "{}"),
    *(
        "=cmd|'/c calc'!A1",
        "=1+1",
        "@SUM(1)",
        "\u202eexe.cod",
        "a@b",
        "+7 999 000",
        "Europe/Moscow",
    ),
]
NAMES = [
    *("q", "o", "p", "e", "page", "date", "from", "to", "next", "sort", "state", "space", "place"),
    *("id__exact", "space__id__exact", "member__password__startswith", "_popup", "_to_field"),
    *("password__regex", "user__password__regex", "_changelist_filters", "action", "all", "cursor"),
    *(
        "limit",
        "after",
        "codes",
        "is_superuser",
        "is_staff",
        "state__in",
        "pk",
        "__proto__",
        "a[b]",
    ),
]
HEADERS: list[dict[str, str]] = [
    {"Content-Type": "text/plain; charset=hex"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "application/json"},
    {"Accept": "application/xml;q=x, */*;q=9"},
    {"Accept-Language": "x-" + "y" * 2000},
    {"HX-Request": "true", "HX-Current-URL": "http://evil.example/\\"},
    {"X-Forwarded-For": "' OR 1=1--, \\xff"},
    {"If-None-Match": '"' + "a" * 900},
    {"If-Modified-Since": "Thu, 99 Foo 20260"},
    {"Range": "bytes=0-,5-9,-1"},
    {"Idempotency-Key": "'; --"},
    {"Prefer": "wait=99999999999, respond-async=x"},
    {"Authorization": "Bearer \\x00"},
    {"Authorization": "Basic ====="},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Origin": "null"},
    {"Referer": "http://evil.example/%"},
    {"Expect": "200-maybe"},
]
#: Letters of a value in an address; gunicorn refuses longer lines, and so do clients.
LONGEST = 3000
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
#: What would end the run: the account, or the session. The rest may be done.
ENDS = re.compile(r"/accounts/(delete|logout)/|/admin/logout/|/accounts/password/")


class Mutations:
    """Makes requests out of one person's forms, pages and operations, and sends them."""

    def __init__(self, surfer: Surfer, operations: list[dict[str, Any]], seed: int) -> None:
        self.dice = random.Random(f"{seed} {surfer.login}")
        self.surfer = surfer
        self.targets: list[Form | dict[str, Any] | str] = [
            *(form for form in surfer.forms.values() if not ENDS.search(form.action)),
            # Each gets another query, so what differs by its query is one page.
            *dict.fromkeys(path.split("?")[0] for path in surfer.pages if not ENDS.search(path)),
            *operations,
        ]
        self.tried = 0
        self.findings: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.kinds: Counter[str] = Counter()

    def send(self, count: int, is_over: Callable[[], bool] = lambda: False) -> None:
        """Send so many; fewer when it is over, or raise `ShutOut` when nobody can sign in."""
        for _ in range(count):
            if is_over():
                return
            # Each target in turn, so that none is left out of a short run.
            self._send(self.targets[self.tried % len(self.targets)])

    def _send(self, target: Form | dict[str, Any] | str) -> None:
        surfer, number = self.surfer, self.tried
        request = self._request(surfer, target)
        self.tried += 1
        try:
            answer = surfer.client.send(request)
        except httpx.HTTPError as error:
            # The server may refuse to read any further; it must not die of it.
            self.kinds[type(error).__name__] += 1
            return
        self.statuses[answer.status_code] += 1
        onward = answer.headers.get("location", "")
        found = self._wrong_in(answer, onward)
        self.findings += [f"#{number} {said(request, surfer.login)}: {each}" for each in found]
        if surfer.login and onward.startswith("/accounts/login/"):
            surfer.sign_in()

    def _wrong_in(self, answer: httpx.Response, onward: str) -> Iterator[str]:
        if answer.status_code >= 500 and not is_busy(answer):
            yield str(answer.status_code)
        if b"Traceback (most recent call last)" in answer.content:
            yield "a traceback in the page"
        if "evil.example" in onward and "evil.example" in answer.url.join(onward).host:
            yield f"leads to {onward}"

    def _request(self, surfer: Surfer, target: Form | dict[str, Any] | str) -> httpx.Request:
        headers: dict[str, str] = {}
        if self.dice.random() < 0.15:
            headers.update(self.dice.choice(HEADERS))
        if isinstance(target, Form):
            return self._form(surfer, target, headers)
        if isinstance(target, str):
            method = self.dice.choice(METHODS) if self.dice.random() < 0.2 else "GET"
            path = self._spoilt(target) if self.dice.random() < 0.4 else target
            query = [
                (self.dice.choice(NAMES), self._value()[:LONGEST])
                for _ in range(self.dice.randint(1, 3))
            ]
            return surfer.client.build_request(
                method, path, params=httpx.QueryParams(tuple(query)), headers=headers
            )
        return self._operation(surfer, target, headers)

    def _form(self, surfer: Surfer, form: Form, headers: dict[str, str]) -> httpx.Request:
        fields = self._mutated(form.fields)
        if form.method == "GET":
            fields = [(name[:200], value[:LONGEST]) for name, value in fields]
            return surfer.client.build_request(
                "GET", form.action, params=httpx.QueryParams(tuple(fields)), headers=headers
            )
        if self.dice.random() < 0.97:
            fields = [*fields, (TOKEN, surfer.token)]
        headers = {"Referer": form.page, **headers}
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        action = self._spoilt(form.action) if self.dice.random() < 0.05 else form.action
        return surfer.client.build_request("POST", action, data=data, headers=headers)

    def _mutated(self, given: list[tuple[str, str]]) -> list[tuple[str, str]]:
        fields = list(given)
        for _ in range(self.dice.randint(0, 3)):
            at = self.dice.randrange(len(fields)) if fields else None
            what = self.dice.randrange(5)
            if at is None or what == 0:
                fields.append((self.dice.choice(NAMES), self._value()))
            elif what == 1:
                del fields[at]
            elif what == 2:
                fields.append((fields[at][0], self._value()))
            else:
                fields[at] = (fields[at][0], self._value())
        return fields

    def _operation(
        self, surfer: Surfer, operation: dict[str, Any], headers: dict[str, str]
    ) -> httpx.Request:
        path = re.sub(r"{(\w+)}", lambda at: self._part(at[1]), operation["path"])
        body = self._spoilt_json(operation["body"])
        text = json.dumps(body)
        if self.dice.random() < 0.1:
            text = text[: self.dice.randrange(len(text) + 1)]
        query = (
            [(self.dice.choice(NAMES), self._value()[:LONGEST])] if self.dice.random() < 0.3 else []
        )
        headers = {"Content-Type": "application/json", "X-CSRFToken": surfer.token, **headers}
        content = text.encode(errors="surrogatepass") if operation["method"] != "GET" else b""
        return surfer.client.build_request(
            operation["method"],
            path,
            params=httpx.QueryParams(tuple(query)),
            content=content,
            headers=headers,
        )

    def _part(self, name: str) -> str:
        known = {"slug": ["tverskaya", "loft"], "code": [VALUES[-20]]}
        choices = [*known.get(name, []), *VALUES]
        return quote(self.dice.choice(choices)[:500], safe="") or "x"

    def _spoilt_json(self, value: Any) -> Any:
        if isinstance(value, dict):
            found = {name: self._spoilt_json(each) for name, each in value.items()}
            if self.dice.random() < 0.2:
                found[self.dice.choice(NAMES)] = self._value()
            if found and self.dice.random() < 0.15:
                del found[self.dice.choice(sorted(found))]
            return found
        if self.dice.random() < 0.25:
            odd: list[Any] = [None, True, -1, 10**30, 1.5e308, [], {}, [[]] * 50, {"a": {"b": []}}]
            return self.dice.choice([*odd, self._value()])
        return value

    def _spoilt(self, path: str) -> str:
        """Replace a part of an address."""
        begin, _slash, rest = path.partition("//")
        head = f"{begin}//{rest.split('/')[0]}" if rest and begin.endswith(":") else ""
        parts = path[len(head) :].split("/")
        if len(parts) > 2:
            parts[self.dice.randrange(1, len(parts))] = quote(self._value()[:500], safe="")
        return head + "/".join(parts)

    def _value(self) -> str:
        return self.dice.choice(VALUES)


def is_busy(answer: httpx.Response) -> bool:
    """Tell whether the site asks to come again: the log has to say why."""
    return answer.status_code == 503 and "retry-after" in answer.headers


def said(request: httpx.Request, login: str) -> str:
    """Return what is needed to send a request again by hand."""
    usual = {"host", "accept-encoding", "connection", "user-agent", "cookie", "content-length"}
    headers = {name: text[:80] for name, text in request.headers.items() if name not in usual}
    body = f" {request.content[:400]!r}" if request.content else ""
    return f"{request.method} {str(request.url)[:300]} as {login or 'nobody'} {headers}{body}"


def operations_of(client: httpx.Client) -> list[dict[str, Any]]:
    """Read the operations of the API, each with a body made by its schema."""
    schema = client.get("/api/v1/openapi.json").json()
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            wanted = content.get("application/json", {}).get("schema", {})
            body = example(wanted, schema)
            found.append({"method": method.upper(), "path": path, "body": body})
    return found


def example(wanted: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """Return something that a schema allows, more or less."""
    if "$ref" in wanted:
        wanted = schema["components"]["schemas"][wanted["$ref"].rsplit("/", 1)[1]]
    if wanted.get("examples"):
        return wanted["examples"][0]
    for one_of in ("anyOf", "oneOf", "allOf"):
        if wanted.get(one_of):
            return example(wanted[one_of][0], schema, depth + 1)
    if "properties" in wanted and depth < 6:
        return {
            name: example(each, schema, depth + 1) for name, each in wanted["properties"].items()
        }
    if wanted.get("type") == "array":
        return [example(wanted.get("items", {}), schema, depth + 1)]
    if "enum" in wanted:
        return wanted["enum"][0]
    return {"integer": 1, "boolean": True, "number": 1.0}.get(wanted.get("type", ""), "text")
