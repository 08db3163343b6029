"""How a contender books: by calling the service, as pages and API do, or by the API over HTTP."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import httpx

PATIENCE = 120  # seconds until a request that nobody answers is given up
ANSWER = 30  # seconds until an answer counts as lost


@dataclass(frozen=True)
class Wanted:
    place: int
    starts_at: datetime
    ends_at: datetime
    key: str


type Told = tuple[str, UUID | None, str]  # a state, REFUSED or ERROR; a code; what else was said


class Door(Protocol):
    def book(self, wanted: Wanted) -> Told:
        """Ask for a place; return what was answered."""

    def close(self) -> None: ...


class Services:
    """Needs a Django that is set up."""

    def __init__(self, member: int) -> None:
        from accounts.models import User

        self._user = User.objects.get(pk=member)

    def book(self, wanted: Wanted) -> Told:
        from bookings.deciding import services
        from bookings.deciding.errors import Refused
        from bookings.deciding.wish import Wish
        from spaces.models import Place

        wish = Wish(
            place=Place(pk=wanted.place),
            member=self._user,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
            request_key=wanted.key,
        )
        try:
            booking = services.book(wish, by=self._user, now=datetime.now(UTC))
        except Refused as refused:
            return "REFUSED", None, str(refused)
        return str(booking.state), booking.code, ""

    def close(self) -> None:
        from django.db import connection

        connection.close()


class Api:
    """Asks again, with the same key, until there is an answer."""

    def __init__(self, site: str, token: str, codes: Mapping[int, str]) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # or it tells of every request
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=site, headers=headers, timeout=ANSWER)
        self._codes = codes

    def book(self, wanted: Wanted) -> Told:
        body = {
            "place": self._codes[wanted.place],
            "starts_at": wanted.starts_at.isoformat(),
            "ends_at": wanted.ends_at.isoformat(),
        }
        end, last = time.monotonic() + PATIENCE, ""
        while time.monotonic() < end:
            try:
                answer = self._client.post(
                    "/api/v1/bookings", json=body, headers={"Idempotency-Key": wanted.key}
                )
            except httpx.TransportError as error:
                last = repr(error)
                time.sleep(0.2)
                continue
            if not _is_for_later(answer):
                return _told(answer)
            last = f"{answer.status_code} {answer.text[:200]}"
            time.sleep(min(float(answer.headers.get("Retry-After", 0.5)), 5))
        return "ERROR", None, f"no answer in {PATIENCE} s, at last {last}"

    def close(self) -> None:
        self._client.close()


def _is_for_later(answer: httpx.Response) -> bool:
    if answer.status_code in (408, 429) or answer.status_code >= 500:
        return True
    return answer.status_code == 409 and _problem(answer).get("code") == "still_running"


def _told(answer: httpx.Response) -> Told:
    if answer.is_success:
        made = answer.json()
        return made["state"], UUID(made["code"]), ""
    problem = _problem(answer)
    if problem.get("code") == "slot_taken" and problem.get("booking"):
        return "REJECTED", UUID(problem["booking"]), ""
    if problem.get("code") in ("slot_taken", "refused"):
        return "REFUSED", None, str(problem.get("problems", ""))
    return "ERROR", None, f"{answer.status_code} {answer.text[:300]}"


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
