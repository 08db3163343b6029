"""What a member does in a browser: reads pages, presses buttons of forms, follows redirects."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import httpx

from chaos import pages
from chaos.asking import Again, Client, Said
from chaos.pages import Form
from chaos.scene import Member, Place, Space

LOGIN = "/accounts/login/"
REDIRECTS = (302, 303)


class Pages:
    name = "page"

    def __init__(self, site: str, member: Member, complain: Callable[[str], None]) -> None:
        self.client = Client(site)
        self.member, self.complain = member, complain
        self.forms: list[Form] = []  # of the page that was read last
        self.sign_ins = 0
        self._is_signed_in = False
        self._token = ""  # of forms

    # --- Reading ---

    def board(self, space: Space, starts_at: datetime, ends_at: datetime, moving: str = "") -> Said:
        """Look at a day with a time that is wanted."""
        local = starts_at.astimezone(space.zone), ends_at.astimezone(space.zone)
        query = {"date": f"{local[0]:%Y-%m-%d}", "from": f"{local[0]:%H:%M}"}
        query |= {"to": f"{local[1]:%H:%M}", "party": "1"}
        if moving:
            query["move"] = moving
        return self._read(f"/spaces/{space.slug}/?{urlencode(query)}")

    def search(self) -> Said:
        return self._read("/")

    def history(self) -> Said:
        return self._read("/bookings/history/")

    def look(self, code: str) -> Said:
        """Look at one's booking; says its state."""
        self._sign_in()
        return self._ticket(f"/bookings/{code}/", None)

    def _read(self, path: str) -> Said:
        self._sign_in()
        answer = self.client.send("GET", path, may_be_old=True)
        if answer.status_code in REDIRECTS:
            self._require_session(answer)
            return self._read_ticket(answer)
        if answer.status_code != 200:
            return self._unexpected("GET", path, answer)
        # A replica may not know yet that one has signed in.
        self._take(answer, needs_session=not self.client.as_of)
        return Said("READ", own=pages.own(answer.text), text=self.client.as_of)

    def _read_ticket(self, answer: httpx.Response) -> Said:
        """Follow a board that leads to the booking: it can't be moved any more."""
        said = self._ticket(answer.headers["Location"], None)
        return Said("READ", own=[said.code]) if said.told != "REFUSED" else said

    # --- Changing ---

    def offered(self, place: Place, moving: str = "") -> Form | None:
        """Return the form for a place on the board that was read last."""
        action = f"/bookings/{moving}/reschedule/" if moving else "/bookings/"
        for form in self.forms:
            if form.action == action and form.fields.get("place") == place.code:
                return form
        return None

    def book(
        self, space: Space, place: Place, starts_at: datetime, ends_at: datetime, key: str
    ) -> Said:
        fields = _fields(space, place, starts_at, ends_at)
        return self._press("/bookings/", {**fields, "request_key": key}, "CONFIRMED")

    def amend(
        self, code: str, space: Space, place: Place, starts_at: datetime, ends_at: datetime
    ) -> Said:
        fields = _fields(space, place, starts_at, ends_at)
        return self._press(f"/bookings/{code}/reschedule/", fields, "CONFIRMED")

    def cancel(self, code: str) -> Said:
        said = self._press(f"/bookings/{code}/cancel/", {}, "CANCELLED")
        # The ticket says why not.
        return said if said.told == "CANCELLED" else Said("REFUSED", text=said.text or said.told)

    def _press(self, path: str, fields: dict[str, str], done: str) -> Said:
        """Post a form; `done` is the state that a redirect promises."""
        self._sign_in()
        answer = self.client.send("POST", path, data={**fields, "csrfmiddlewaretoken": self._token})
        if answer.status_code in REDIRECTS:
            self._require_session(answer)
            location = answer.headers["Location"]
            is_done = bool(urlsplit(location).query)  # ?booked=1, ?moved=1, ?cancelled=1
            known = Said(done, pages.code_in(location)) if is_done else None
            return self._ticket(location, known)
        if answer.status_code == 403:  # signing in has made the form's token an old one
            self._take(answer, needs_session=False)
            raise Again(403, pages.said(answer.text))
        if answer.status_code not in (409, 422):
            return self._unexpected("POST", path, answer)
        taken = "slot_taken: " if answer.status_code == 409 else ""  # as programs are told
        return Said("REFUSED", text=taken + pages.said(answer.text))

    def _ticket(self, location: str, known: Said | None) -> Said:
        """Follow a redirect to a booking."""
        answer = self.client.send("GET", location, known=known)
        if answer.status_code in REDIRECTS:
            self._require_session(answer)
        if answer.status_code != 200:
            return self._unexpected("GET", location, answer)
        self._take(answer, needs_session=True)
        return Said(pages.state(answer.text), pages.code_in(location), text=pages.said(answer.text))

    # --- Being somebody ---

    def _sign_in(self) -> None:
        if self._is_signed_in:
            return
        self._take(self.client.send("GET", LOGIN, may_be_old=True), needs_session=False)
        data = {
            "username": self.member.username,
            "password": self.member.password,
            "csrfmiddlewaretoken": self._token,
        }
        answer = self.client.send("POST", LOGIN, data=data)
        if answer.status_code not in REDIRECTS:
            self.complain(f"can't sign in: {answer.status_code} {pages.said(answer.text)}")
            raise Again(answer.status_code, "can't sign in")
        self._is_signed_in = True
        self.sign_ins += 1
        self._token = self.client.cookies.get("csrftoken") or ""

    def _take(self, answer: httpx.Response, *, needs_session: bool) -> None:
        """Read the forms of a page; raise Again if it takes us for a visitor."""
        if needs_session and not pages.is_signed_in(answer.text):
            self._lose_session(answer.status_code)
        self.forms = pages.forms(answer.text)
        for form in self.forms:
            self._token = form.fields.get("csrfmiddlewaretoken") or self._token

    def _require_session(self, answer: httpx.Response) -> None:
        if urlsplit(answer.headers["Location"]).path == LOGIN:
            self._lose_session(answer.status_code)

    def _lose_session(self, status: int) -> None:
        self._is_signed_in = False
        self.complain("a session was lost")
        raise Again(status, "signed out")

    def _unexpected(self, method: str, path: str, answer: httpx.Response) -> Said:
        """Note an answer that no member of ours should get, such as that a booking is missing."""
        text = f"{answer.status_code} {pages.said(answer.text)}"
        self.complain(f"{method} {path}: {text}")
        return Said("REFUSED", text=text)

    def close(self) -> None:
        self.client.close()


def _fields(space: Space, place: Place, starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    """Return what a form of the board posts: local times of the space."""
    return {
        "place": place.code,
        "starts_at": f"{starts_at.astimezone(space.zone):%Y-%m-%dT%H:%M}",
        "ends_at": f"{ends_at.astimezone(space.zone):%Y-%m-%dT%H:%M}",
        "party_size": "1",
    }
