"""Markup and line ends in what people type, and a wrong name of the site: what arrives by mail."""

import email
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.policy import default
from pathlib import Path

import httpx

from attacks.report import Outcome
from attacks.site import Site
from attacks.surfing import TOKEN, Surfer

MARKUP = "<img src=x onerror=alert(1)><a href='http://evil.example/'>Zqlink</a>"
LINES = (
    "Zq\r\nBcc: zq@evil.example\r\n\r\n<b>Zqbody</b>",
    "Zq\nATTENDEE:mailto:zq@evil.example",
    "Zq\u2028ATTACH:http://evil.example/",
    "Zq\x0bEND:VEVENT\x85BEGIN:VEVENT",
    "Zq;X-A=b:c,d\\n\\nATTACH:http://evil.example/",
)
#: Ways to tell a site that it has another name.
NAMES: tuple[dict[str, str], ...] = (
    {"Host": "evil.example"},
    {"Host": "127.0.0.1:80@evil.example"},
    {"Host": "evil.example#127.0.0.1"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Host": "evil.example", "X-Original-Host": "evil.example"},
    {"Forwarded": "host=evil.example;proto=https"},
    {"X-Original-URL": "http://evil.example/", "X-Rewrite-URL": "http://evil.example/"},
    {"X-Forwarded-Proto": "javascript", "X-Forwarded-Port": "1@evil.example"},
)


def check_names(site: Site) -> Outcome:
    """Ask for a link to a new password, each time in the name of another site."""
    outcome = Outcome("Host headers, in pages and in mail")
    for names in NAMES:
        with site.client() as client:
            surfer = Surfer(client)
            surfer._read(client.get("/accounts/forgotten/"))
            fields = {TOKEN: surfer.token, "who": "member"}
            answer = client.post("/accounts/forgotten/", data=fields, headers=names)
            said = f"{answer.text} {answer.headers.get('location', '')}"
            outcome.expect("evil.example" not in said, f"{names}: the page repeats it")
            page = client.get("/", headers=names)
            outcome.expect(
                not re.search(r"""(href|src|action)=["'][^"']*evil\.example""", page.text),
                f"{names}: the home page leads there",
            )
    site.manage("worker", "--once")
    links = [link for mail in mails(site.mail) for link in links_of(mail)]
    outcome.expect(bool(links), "no mail came")
    for link in links:
        # The demo's spaces have sites and addresses of their own; none is the attacker's.
        outcome.expect("evil" not in link, f"a mail leads to {link}")
    return outcome


def check_text(site: Site, surfer: Surfer) -> Outcome:
    """Write markup and line ends wherever something is sent on by mail or in a calendar."""
    outcome = Outcome("Markup and line ends in mail and calendars")
    places = _places(surfer.client)
    day = datetime.now(UTC) + timedelta(days=3)
    booked: list[str] = []
    for number, text in enumerate((MARKUP, *LINES)):
        profile = {TOKEN: surfer.token, "name": text, "theme": "SYSTEM", "language": "en"}
        surfer.client.post("/accounts/profile/", data=profile)
        for place in places[number::6][:8]:
            times = {
                "starts_at": f"{day:%Y-%m-%d}T{10 + number}:00",
                "ends_at": f"{day:%Y-%m-%d}T{11 + number}:00",
            }
            fields = {TOKEN: surfer.token, "place": place, "party_size": "1", "note": text, **times}
            answer = surfer.client.post("/bookings/", data=fields)
            if answer.status_code in {302, 303}:
                booked.append(answer.headers["location"].split("?")[0])
                break
    outcome.expect(len(booked) > 2, f"only {len(booked)} bookings could be made")
    for path in booked:
        page = surfer.client.get(path)
        outcome.expect("<img src=x" not in page.text, f"{path} shows markup")
        outcome.findings += [
            f"{path}: {line}" for line in _foreign(surfer.client.get(f"{path}calendar.ics").text)
        ]
        outcome.tried += 1
    outcome.findings += [
        f"all: {line}" for line in _foreign(surfer.client.get("/accounts/data.ics").text)
    ]
    site.manage("worker", "--once")
    for mail in mails(site.mail):
        outcome.findings += wrong_in(mail)
        outcome.tried += 1
    return outcome


def _places(client: httpx.Client) -> list[str]:
    found: list[str] = []
    for space in client.get("/api/v1/spaces").json()["items"]:
        details = client.get(f"/api/v1/spaces/{space['slug']}").json()
        found += [place["code"] for place in details["places"]]
    return found


def mails(folder: Path) -> Iterator[Message]:
    for file in sorted(folder.glob("*")) if folder.is_dir() else []:
        for text in file.read_bytes().split(b"-" * 79 + b"\n"):
            if text.strip():
                yield email.message_from_bytes(text.lstrip(), policy=default)


def links_of(mail: Message) -> list[str]:
    return re.findall(r"https?://[^\s\"'<>]+", _text_of(mail))


def wrong_in(mail: Message) -> list[str]:
    """Return what somebody else's text has made of a mail."""
    subject = mail["subject"]
    found = [f"{subject}: {name}: {mail[name]}" for name in ("bcc", "cc") if mail[name]]
    for part in mail.walk():
        if part.get_content_type() == "text/html":
            html = _decoded(part)
            if re.search(r"<img src=x|<b>Zqbody|href=['\"]?http://evil", html):
                found.append(f"{subject}: markup of somebody's in it")
        elif part.get_content_type() == "text/calendar":
            found += [f"{subject}: {line}" for line in _foreign(_decoded(part))]
    return found


def _foreign(calendar: str) -> list[str]:
    """Return lines of a calendar that somebody's text has become."""
    unfolded = re.sub(r"\r?\n[ \t]", "", calendar)
    lines = re.split(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]", unfolded)
    bad = [line for line in lines if re.match(r"(ATTACH|ATTENDEE|X-A)\b.*evil", line, re.I)]
    if unfolded.count("BEGIN:VEVENT") != unfolded.count("END:VEVENT"):
        bad.append("an event that doesn't end")
    return bad


def _text_of(mail: Message) -> str:
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join(_decoded(part) for part in parts)


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode(errors="replace") if isinstance(content, bytes) else ""
