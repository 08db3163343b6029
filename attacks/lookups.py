"""Look-ups that the admin refuses: an answer, and one line in the log for each."""

from pathlib import Path

from attacks.report import Outcome
from attacks.surfing import Surfer

LISTS = ("bookings/booking", "spaces/place", "accounts/user", "notifications/delivery")
QUERIES = (
    *("member__password__startswith=a", "user__password__regex=.", "space__staff_roles__user=1"),
    *("place__space__staff_roles__user__password__contains=a", "password=x", "nothing=1", "o=99.a"),
    *("_to_field=password", "endpoint__secret__startswith=w", "booking__guest_links__digest=a"),
)


def check(surfer: Surfer, log: Path) -> Outcome:
    outcome = Outcome("Look-ups that the admin refuses")
    longest = 0
    for path in LISTS:
        for query in QUERIES:
            before = lines(log)
            address = f"/admin/{path}/?{query}"
            answer = surfer.client.get(address)
            outcome.expect(answer.status_code in {200, 302, 400, 403, 404}, f"{address}: {answer}")
            written = lines(log) - before
            longest = max(longest, written)
            if written > 1:
                outcome.findings.append(f"{address}: {written} lines in the log")
    outcome.notes.append(f"at most {longest} line(s) in the log for each")
    return outcome


def lines(log: Path) -> int:
    """Count the lines, but for the one that each request has anyway."""
    found = log.read_text(errors="replace").splitlines()
    return sum('"logger": "mesto.request"' not in line for line in found)
