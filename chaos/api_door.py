"""What a member does by program: the JSON API, with a token."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from chaos.asking import Again, Client, Said, retry_after
from chaos.scene import Member, Place, Space

ROOT = "/api/v1"
#: As long as a request is in these, it is only accepted.
UNDECIDED = ("CREATED", "CHECKING_AVAILABILITY")
#: Answers that are about what was wished: the site has looked, and says no.
REFUSALS = {
    (409, "slot_taken"),
    (409, "wrong_state"),
    (422, "refused"),
    (422, "too_late"),
}


class Api:
    name = "api"

    def __init__(self, site: str, member: Member, complain: Callable[[str], None]) -> None:
        self.client = Client(site, {"Authorization": f"Bearer {member.token}"})
        self.complain = complain

    def book(self, place: Place, starts_at: datetime, ends_at: datetime, key: str) -> Said:
        body = {"place": place.code, **_times(starts_at, ends_at)}
        return self._changed("POST", "/bookings", json=body, headers={"Idempotency-Key": key})

    def request(self, place: Place, starts_at: datetime, ends_at: datetime, key: str) -> Said:
        """Have it decided later; says CREATED."""
        body = {"place": place.code, **_times(starts_at, ends_at)}
        headers = {"Idempotency-Key": key, "Prefer": "respond-async"}
        return self._changed("POST", "/bookings", json=body, headers=headers)

    def amend(
        self, code: str, place: Place, starts_at: datetime, ends_at: datetime, key: str
    ) -> Said:
        body = {"place": place.code, **_times(starts_at, ends_at)}
        return self._changed(
            "PATCH", f"/bookings/{code}", json=body, headers={"Idempotency-Key": key}
        )

    def cancel(self, code: str, key: str) -> Said:
        said = self._changed("DELETE", f"/bookings/{code}", headers={"Idempotency-Key": key})
        if said.told == "REFUSED":  # an earlier try may have done it, and its answer was lost
            now = self.look(code)
            return now if now.told == "CANCELLED" else said
        return said

    def look(self, code: str) -> Said:
        return self._changed("GET", f"/bookings/{code}")

    def decided(self, code: str) -> Said:
        """Look at a request; raise Again while nobody has decided it."""
        said = self.look(code)
        if said.told in UNDECIDED:
            raise Again(self.client.status, "", known=said)  # an answer, but not yet the last
        return said

    def free(self, space: Space, starts_at: datetime, ends_at: datetime) -> Said:
        """Ask what is free."""
        query = urlencode(_times(starts_at, ends_at))
        return self._read(f"/spaces/{space.slug}/availability?{query}", lambda found: [])

    def search(self) -> Said:
        return self._read("/spaces?limit=100", lambda found: [])

    def history(self) -> Said:
        def codes(found: Any) -> list[str]:
            return [booking["code"] for booking in found["items"]]

        return self._read("/bookings?mine=true&limit=20", codes)

    def _read(self, path: str, own: Callable[[Any], list[str]]) -> Said:
        answer = self.client.send("GET", f"{ROOT}{path}", may_be_old=True)
        if answer.status_code != 200:
            return self._unexpected("GET", path, answer)
        return Said("READ", own=own(answer.json()), text=self.client.as_of)

    def _changed(self, method: str, path: str, **content: Any) -> Said:
        answer = self.client.send(method, f"{ROOT}{path}", **content)
        if answer.is_success:
            booking = answer.json()
            return Said(booking["state"], booking["code"])
        problem = _problem(answer)
        kind = (answer.status_code, problem.get("code", ""))
        if kind == (409, "still_running"):
            raise Again(409, "still running", retry_after(answer))
        if kind not in REFUSALS:
            return self._unexpected(method, path, answer)
        text = f"{kind[1]}: {problem.get('detail', '')}"
        if code := problem.get("booking"):  # a request that lost is kept, in the history
            return Said("REJECTED", code, text=text)
        return Said("REFUSED", text=text)

    def _unexpected(self, method: str, path: str, answer: httpx.Response) -> Said:
        """Note an answer that no member of ours should get, such as that a booking is missing."""
        text = f"{answer.status_code} {answer.text[:200]}"
        self.complain(f"{method} {path}: {text}")
        return Said("REFUSED", text=text)

    def close(self) -> None:
        self.client.close()


def _times(starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
