"""Ways around the lock on guessing passwords: spellings of a login, and addresses of a client."""

import httpx

from attacks.report import Outcome
from attacks.surfing import TOKEN, Surfer

LIMIT = 10
#: One login to the database: capitals, width, marks that fold away, blanks around it.
SPELLINGS = (
    "member",
    "MEMBER",
    "Member",
    "ｍｅｍｂｅｒ",
    " member",
    "member ",
    "ᵐember",
    "\u2006member",
    "ⓜember",
)


def check(client: httpx.Client, proxies: int) -> Outcome:
    """Guess behind this many trusted proxies; the client writes what it likes to their left."""
    outcome = Outcome(f"Lock-out, behind {proxies} trusted proxies")
    wrong = 0
    locked_at = None
    for number in range(4 * LIMIT):
        login = SPELLINGS[number % len(SPELLINGS)]
        answer = guess(client, login, "wrong", address(proxies, forged=number))
        outcome.tried += 1
        if answer.status_code == 429:
            locked_at = wrong
            break
        wrong += 1
    if locked_at is None or locked_at > LIMIT:
        outcome.findings.append(f"{wrong} guesses before the login was locked")
    outcome.notes.append(f"locked after {locked_at} guesses in {len(SPELLINGS)} spellings")
    # Right or wrong, from wherever: as long as it is locked nothing tells which.
    for number, login in enumerate(SPELLINGS):
        answer = guess(client, login, "mesto-demo", address(proxies, forged=1000 + number))
        outcome.expect(answer.status_code == 429, f"{login!r} got past the lock: {answer}")
        answer = program(client, login, "mesto-demo", address(proxies, forged=2000 + number))
        outcome.expect(answer.status_code in {401, 429}, f"{login!r} got a token: {answer}")
    return outcome


def address(proxies: int, *, forged: int) -> dict[str, str]:
    """Return headers as the last of our proxies sends them: the client's own words come first."""
    fake = f"198.51.100.{forged % 250}"
    ours = ["203.0.113.9", *[f"10.0.0.{n}" for n in range(1, proxies)]][:proxies]
    return {
        "X-Forwarded-For": ", ".join([fake, *ours]),
        "X-Real-IP": fake,
        "Forwarded": f"for={fake}",
        "Client-IP": fake,
        "True-Client-IP": fake,
        "X-Client-IP": fake,
        "X-Cluster-Client-IP": fake,
    }


def guess(
    client: httpx.Client, login: str, password: str, headers: dict[str, str]
) -> httpx.Response:
    client.cookies.clear()
    surfer = Surfer(client)
    surfer._read(client.get("/accounts/login/", headers=headers))
    fields = {TOKEN: surfer.token, "username": login, "password": password}
    return client.post("/accounts/login/", data=fields, headers=headers)


def program(
    client: httpx.Client, login: str, password: str, headers: dict[str, str]
) -> httpx.Response:
    body = {"username": login, "password": password}
    return client.post("/api/v1/auth/token", json=body, headers=headers)
