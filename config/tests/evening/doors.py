"""The four ways to a table, each as its people use it: what they are told is all we know."""

import re
from dataclasses import dataclass
from uuid import uuid4

from config.tests.evening.house import fields, follow, text

PLACE = re.compile(r"Tables? \d+(?: \+ \d+)?")


@dataclass
class Told:
    """What somebody was told: a booking's place and code, or why there is none."""

    place: str = ""
    code: str = ""
    refused: str = ""
    token: str = ""


#: What pages say of each reason.
REASONS = {
    "pacing_full": "arrive at",
    "slot_taken": "",
    "too_many_no_shows": "no booking here before",
}


class Doors:
    def __init__(self, house, api, later):
        self.house, self.api, self.later = house, api, later

    def by_page(self, login, at, people, note=""):
        """Book on the member's page: a party and a time, the house chooses."""
        sent = self._wish(at, people) | {"note": note}
        member = self.house.members[login]
        answer = member.post("/bookings/", sent)
        if answer.status_code != 302:
            return _why(answer)
        page = text(follow(member, answer))
        return Told(_yours(page), re.search(r"[\w-]{36}", answer["Location"])[0])

    def by_guest(self, name, email, at, people):
        """Book on the page for guests: the link is all they get."""
        visitor = self.house.visitor
        page = visitor.get("/guest/", self._wish(at, people))
        answer = visitor.post("/guest/", fields(page) | {"name": name, "email": email, "phone": ""})
        if answer.status_code != 302:
            return _why(answer)
        token = re.search(r"/g/([\w-]+)/", answer["Location"])[1]
        page = follow(visitor, answer)
        return Told(_yours(text(page)), token=token)

    def by_phone(self, name, contact, at, people, note=""):
        """Book what somebody asks for on the phone."""
        host, address = self.house.host, f"/staff/{self.house.slug}/phone/"
        asked = {"date": f"{at:%Y-%m-%d}", "from": f"{at:%H:%M}", "party": people}
        form = fields(host.get(address, asked), "phone")
        said = {"guest_name": name, **contact, "note": note, **asked}
        sent = {key: value for key, value in form.items() if key not in ("place", "instead")}
        answer = host.post(address, sent | said)
        if answer.status_code != 302:
            assert answer.status_code in (409, 422)
            return Told(refused="pacing_full or slot_taken")
        code = re.search(r"[\w-]{36}", answer["Location"])[0]
        page = text(follow(host, answer))
        return Told(PLACE.search(page.partition("Booked: ")[2])[0], code)

    def by_program(self, at, people, place=""):
        """Book by the API, as the member whose token the program has; a named place, another's."""
        where = {"place": self.code_of(place)} if place else {"space": self.house.slug}
        answer = (self.later if place else self.api).post(
            "/api/v1/bookings",
            {**where, "starts_at": at.isoformat(), "party_size": people},
            "application/json",
            headers={"Idempotency-Key": str(uuid4())},
        )
        said = answer.json()
        if answer.status_code != 201:
            return Told(refused=_code(said))
        return Told(said["place"]["name"], said["code"])

    def in_the_queue(self, place, at, ends, people):
        """Ask by the API for one place, to be decided next; return the booking's code."""
        body = {
            "place": self.code_of(place),
            "starts_at": at.isoformat(),
            "ends_at": ends.isoformat(),
        }
        answer = self.api.post(
            "/api/v1/bookings",
            {**body, "party_size": people},
            "application/json",
            headers={"Idempotency-Key": str(uuid4()), "Prefer": "respond-async"},
        )
        assert answer.status_code == 202, answer.text
        return answer.json()["code"]

    def decided(self, code):
        said = self.api.get(f"/api/v1/bookings/{code}").json()
        if said["state"] == "REJECTED":
            return Told(refused=said["problems"][0])
        return Told(said["place"]["name"], said["code"])

    def places(self):
        return self.api.get(f"/api/v1/spaces/{self.house.slug}").json()["places"]

    def code_of(self, place):
        return next(each["code"] for each in self.places() if each["name"] == place)

    def walk_in(self, people, **more):
        """Seat people who stand there, at the place that the page proposes first."""
        host, address = self.house.host, f"/staff/{self.house.slug}/walk-in/"
        page = host.get(address, {"people": people})
        best = re.search(r'name="place" value="([\w-]+)"', page.text)[1]
        sent = fields(page, "walk-in") | {"people": people, "place": best} | more
        answer = host.post(address, sent)
        if answer.status_code != 302:
            return Told(refused=text(answer)), page
        code = re.search(r"[\w-]{36}", answer["Location"])[0]
        said = text(follow(host, answer))
        return Told(PLACE.search(said)[0], code), said

    def nothing_for(self, people):
        """Return what the staff read when there is no place for people who stand there."""
        page = self.house.host.get(f"/staff/{self.house.slug}/walk-in/", {"people": people})
        assert 'name="place"' not in page.text
        return text(page)

    def _wish(self, at, people):
        return {
            "space": self.house.slug,
            "starts_at": f"{at:%Y-%m-%dT%H:%M}",
            "party_size": people,
            "request_key": str(uuid4()),
        }


def _yours(page):
    return re.search(rf"({PLACE.pattern}) is yours", page)[1]


def _why(answer):
    """Return the reason that a refusal says; a place that is taken is a conflict."""
    assert answer.status_code in (409, 422), (answer.status_code, text(answer)[:300])
    if answer.status_code == 409:
        return Told(refused="slot_taken")
    said = text(answer)
    found = (code for code, words in REASONS.items() if words and words in said)
    return Told(refused=next(found, said))


def _code(problem):
    problems = problem.get("problems") or [problem]
    return problems[0]["code"]
