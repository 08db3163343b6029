"""What the site's processes say of all that was sent to them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from attacks.report import Outcome

#: PostgreSQL's words for a lock or a statement that took longer than a request waits
#: (`DATABASE_LOCK_SECONDS`, `DATABASE_STATEMENT_SECONDS`): everybody at once, on a busy machine.
WAITED = {"55P03", "57014"}


def check(log: Path, *, busy: int) -> Outcome:
    """Find tracebacks; and for each answer that asked to come again, what kept it waiting."""
    outcome = Outcome("What the log says of all that")
    waited: Counter[str] = Counter()
    for text in log.read_text(errors="replace").splitlines():
        outcome.tried += 1
        line = parsed(text)
        if is_wait(line):
            waited[line["route"]] += 1
        elif "exception" in line or "Traceback (most recent call last)" in text:
            outcome.findings.append(text[:1500])
    if waited.total() != busy:
        outcome.findings.append(f"{busy} answers were 503, {waited.total()} of them by a wait")
    outcome.notes += [f"{n} × 503, too long a wait: {route}" for route, n in waited.most_common()]
    return outcome


def parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # a traceback is no JSON
        return {}
    return found if isinstance(found, dict) else {}


def is_wait(line: dict[str, Any]) -> bool:
    first = (line.get("exception") or [{}])[0]
    return line.get("status") == 503 and first.get("said") in WAITED
