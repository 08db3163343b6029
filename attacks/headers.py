"""What scanners look for in the headers of every page."""

import re

import httpx

from attacks.report import Outcome
from attacks.surfing import Surfer

UNSAFE = re.compile(r"'unsafe-(inline|eval|hashes)'|\*|https?:|data:(?!.*img)")


def check(surfers: list[Surfer], *, https: bool = False) -> Outcome:
    """Look at each page that anybody has seen, as ZAP's passive rules do."""
    outcome = Outcome("Headers, cookies and content of every page")
    for surfer in surfers:
        for path, page in surfer.pages.items():
            for finding in wrong_in(page, is_private=bool(surfer.login), https=https):
                outcome.findings.append(f"{path} as {surfer.login or 'nobody'}: {finding}")
            outcome.tried += 1
    return outcome


def wrong_in(page: httpx.Response, *, is_private: bool, https: bool) -> list[str]:
    """Return what is wrong with an answer, in words."""
    headers, found = page.headers, []
    kind = headers.get("content-type", "")
    if page.status_code != 304 and page.content and not kind:
        found.append("no Content-Type")
    if kind.startswith("text/html") and "charset" not in kind:
        found.append("no charset")
    wanted = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }
    found += [
        f"{name}: {headers.get(name)}"
        for name, value in wanted.items()
        if headers.get(name) != value
    ]
    found += _of_policy(headers.get("content-security-policy", ""))
    if https and "max-age=" not in headers.get("strict-transport-security", ""):
        found.append("no Strict-Transport-Security")
    for name in ("x-powered-by", "x-aspnet-version", "x-debug", "access-control-allow-origin"):
        if name in headers:
            found.append(f"{name}: {headers[name]}")
    if re.search(r"\d", headers.get("server", "")):
        found.append(f"the server tells its version: {headers['server']}")
    if is_private and kind.startswith("text/html") and page.status_code == 200:
        cached = headers.get("cache-control", "")
        if not re.search("no-store|private|no-cache", cached):
            found.append(f"a private page may be kept by others: Cache-Control {cached!r}")
    for cookie in page.headers.get_list("set-cookie"):
        found += _of_cookie(cookie, https=https)
    return found + _of_content(page.text if kind.startswith("text/html") else "")


def _of_policy(policy: str) -> list[str]:
    rules = {rule.split()[0]: rule for rule in policy.split(";") if rule.strip()}
    missing = {
        "default-src",
        "object-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    } - rules.keys()
    found = [f"the policy says nothing of {name}" for name in sorted(missing)]
    for name in ("default-src", "script-src", "style-src"):
        if UNSAFE.search(rules.get(name, "")):
            found.append(f"the policy allows too much: {rules[name].strip()}")
    return found


def _of_cookie(cookie: str, *, https: bool) -> list[str]:
    name, rest = cookie.split("=")[0], cookie.lower()
    found = []
    if "samesite" not in rest:
        found.append(f"cookie {name} without SameSite")
    if name == "sessionid" and "httponly" not in rest:
        found.append(f"cookie {name} without HttpOnly")
    if https and "secure" not in rest:
        found.append(f"cookie {name} without Secure")
    return found


def _of_content(text: str) -> list[str]:
    found = []
    if re.search(r"""\son\w+=["']""", re.sub(r">[^<]*<", "><", text)):
        found.append("an inline handler")
    for script in re.findall(r"<(?:script|style)\b[^>]*>", text):
        if "src=" not in script and "application/json" not in script:
            found.append(f"inline: {script}")
    loads = r'<(?:script|link(?! rel="canonical")|img|iframe)\b'
    for outside in re.findall(rf"""{loads}[^>]*(?:src|href)=["'](https?:)?//([^"'/]+)""", text):
        found.append(f"loads from {outside[1]}")
    if (
        re.search(r"<form[^>]+method=.post.(?:(?!</form>).)*type=.password", text, re.S | re.I)
        and "csrfmiddlewaretoken" not in text
    ):
        found.append("a form without a token")
    for told in (
        "Traceback (most recent call last)",
        "Django Version",
        "/site-packages/",
        "SELECT ",
        "sqlite3.",
        "psycopg.",
    ):
        if told in text:
            found.append(f"tells of its inside: {told}")
    return found
