"""An owner opens a restaurant in an empty Mesto: by its pages, as a person would."""

import re
from html import unescape

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from config.management.commands.worker import LANES
from config.tests.garbage import PostedForms
from spaces.models import Space
from spaces.tests.staff import filled_in

STEPS = [step for lane in ("bookings", "relay", "mail") for step in LANES[lane]]
PASSWORD = "a lamp beside the window"
SETUP = {
    "name": "Bistro Nord",
    "kind": "RESTAURANT",
    "time_zone": "Europe/Oslo",
    "opens": "12:00",
    "closes": "15:00",
    "opens_again": "18:00",
    "closes_again": "0:30",
    "tables": "10 × 2, 6 × 4, 4 × 6",
    "hosts": "hanna@example.org",
    "managers": "marat@example.org",
}
SHIFTS = [("Lunch", "12:00", "13:30"), ("Dinner", "18:00", "22:30")]
TOGETHER = {"Tables 17 + 18": (17, 18, 0), "Tables 19 + 20": (19, 20, 5)}


def text(answer):
    """Return what a page says, without its tags."""
    body = re.sub(r"(?s)<(script|style|head).*?</\1>", " ", answer.text)
    return re.sub(r"\s+", " ", unescape(re.sub("<.*?>", " ", body))).strip()


def fields(page, action=""):
    """Return what a form of a page would post."""
    found = PostedForms(page.text.partition("<main")[2]).found
    return next(dict(said) for to, said in found if action in (to or ""))


def follow(client, answer):
    """Go where an answer leads."""
    assert answer.status_code in (302, 303), text(answer)[:500]
    return client.get(answer["Location"])


class House:
    """The restaurant, its staff and its guests, each with a browser."""

    def __init__(self, capsys, outbox):
        self.outbox = outbox
        self.owner = self._owner(capsys)
        self.set_up()
        self.manager = self.invited("marat@example.org", "marat")
        self.host = self.invited("hanna@example.org", "hanna")
        self.seat()
        self.push_together()
        self.visitor = Client()
        self.members = {}

    def _owner(self, capsys):
        call_command("owner")
        link = re.search(r"/join/\w+/", capsys.readouterr().out)[0]
        owner = Client()
        sent = {"username": "olga", "email": "olga@example.org", "password1": PASSWORD}
        assert "Set up your venue" in text(follow(owner, owner.post(link, sent)))
        return owner

    def set_up(self):
        page = self.owner.get("/staff/setup/")
        sent = {**fields(page), **SETUP}
        day = follow(self.owner, self.owner.post("/staff/setup/", sent))
        assert "Bistro Nord is open, with 20 places." in text(day)
        self.slug = re.search(r"/staff/([\w-]+)/walk-in/", day.text)[1]

    def invited(self, email, login):
        """Follow the link that came by mail, and choose a password of one's own."""
        self.work()
        [mail] = [mail for mail in self.outbox if mail.to == [email]]
        link = re.search(r"/join/\w+/", mail.body)[0]
        person = Client()
        assert email in text(person.get(link)) or "Bistro Nord" in text(person.get(link))
        day = follow(person, person.post(link, {"username": login, "password1": PASSWORD}))
        assert "You are on the staff of Bistro Nord." in text(day)
        assert person.get(link).status_code == 404  # once
        return person

    def seat(self):
        """Shifts, turn times, pacing, check-in, release and strikes: the manager's form."""
        page = f"/admin/spaces/space/{Space.objects.get().pk}/change/"
        sent = filled_in(self.manager, page)
        for n, (name, first, last) in enumerate(SHIFTS):
            sent |= _row("shifts", n, name=name, first_seating=first, last_seating=last)
            sent |= _row("shifts", n, weekdays=list("0123456"))
            sent |= _row("shifts", n, covers_online=10, covers_in_house=8)
        for n, (people, minutes) in enumerate([(1, 90), (3, 120), (5, 150)]):
            sent |= _row("turn_times", n, from_party=people, minutes=minutes)
        rule = {"step_minutes": 15, "min_minutes": 30, "cancel_deadline_minutes": 60}
        rule |= {"check_in_opens_minutes": 30, "release_after_minutes": 20}
        sent |= _row("policies", 0, **rule, max_no_shows=1, no_show_days=30)
        sent |= {"shifts-TOTAL_FORMS": 2, "turn_times-TOTAL_FORMS": 3, "policies-TOTAL_FORMS": 1}
        sent |= {"is_active": "on", "guests_may_book": "on", "reminder_hours": ""}
        answer = self.manager.post(page, sent)
        assert answer.status_code == 302, text(answer)
        rules = text(self.manager.get(f"/staff/{self.slug}/rules/"))
        assert "Times go in steps of 15 min." in rules

    def push_together(self):
        """Two combinations, of the four largest tables."""
        space = Space.objects.get()
        tables = {place.number: place for place in space.places.all()}
        for n, (name, (left, right, priority)) in enumerate(TOGETHER.items(), 31):
            sent = {"space": space.pk, "number": n, "name": name, "kind": "TABLE"}
            sent |= {"capacity": 12, "min_party": 7, "priority": priority, "is_bookable": "on"}
            answer = self.manager.post(
                "/admin/spaces/place/add/", {**sent, "_continue": "1", "plan_x": "", "plan_y": ""}
            )
            assert answer.status_code == 302, text(answer)
            page = answer["Location"]
            parts = {"parts": [tables[left].pk, tables[right].pk], "is_bookable": "on"}
            answer = self.manager.post(page, {**filled_in(self.manager, page), **parts})
            assert answer.status_code == 302, text(answer)

    def member(self, login, email=""):
        """Let somebody sign up on the page for it."""
        person = Client()
        sent = {"username": login, "email": email, "password1": PASSWORD}
        assert person.post("/accounts/register/", sent).status_code == 302
        self.members[login] = person
        return person

    def program(self, login):
        """Return a program that uses somebody's token."""
        sent = {"username": login, "password": PASSWORD}
        answer = Client().post("/api/v1/auth/token", sent, "application/json")
        return Client(headers={"authorization": f"Bearer {answer.json()['token']}"})

    def work(self):
        """Let a worker do everything that is due; nobody listens but people."""
        while any(step(now=timezone.now()) for step in STEPS):
            pass


def _row(of, n, **values):
    return {f"{of}-{n}-{name}": value for name, value in values.items()}
