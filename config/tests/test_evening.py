"""An owner's evening, from an empty database to the numbers, beside a list that is kept by hand."""

import csv
import random
import re
from collections import Counter
from datetime import datetime
from html import unescape
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from config.tests.evening.doors import Doors
from config.tests.evening.house import House, text
from config.tests.evening.ledger import QUARTER, TABLES, Ledger
from config.tests.evening.service import Service

pytestmark = pytest.mark.django_db

OSLO = ZoneInfo("Europe/Oslo")
DAY = "2026-11-25"
MEMBERS = ["alice", "bob", "carl", "dora", "erik"]
WISHED = 60
SIZES = [1, 2, 2, 2, 2, 3, 4, 4, 5, 6]
LANGUAGES = {"PAGE": "Page", "API": "API", "STAFF": "By the staff", "WALK_IN": "Walk-in"}
LANGUAGES |= {"GUEST": "Page for guests"}


def at(clock, day=25):
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=OSLO)


def quarters(first, last):
    while first <= last:
        yield first
        first += QUARTER


class Evening:
    """Everybody who books, and the list."""

    def __init__(self, house, doors, ledger):
        self.house, self.doors, self.ledger = house, doors, ledger
        self.number = count(1)
        self.accepted = Counter()

    def wish(self, door, starts, people):
        """Book by one of the doors; what is told must be what the list says."""
        n = next(self.number)
        channel = {"page": "PAGE", "guest": "GUEST", "phone": "STAFF", "program": "API"}[door]
        expected = self.ledger.expects(starts, people, channel)
        name, email, who = f"Guest {n}", "", ""
        if door == "page":
            name = who = MEMBERS[n % len(MEMBERS)]
            email = "bob@example.org" if who == "bob" else ""
            told = self.doors.by_page(who, starts, people)
        elif door == "guest":
            email = f"guest{n}@example.org"
            told = self.doors.by_guest(name, email, starts, people)
        elif door == "phone":
            email = f"caller{n}@example.org" if n % 3 == 0 else ""
            contact = {"phone": f"+47 22 00 {n:02} 00", "email": email}
            told = self.doors.by_phone(name, contact, starts, people, note=f"Note {n}")
        else:
            name = who = "petra"
            told = self.doors.by_program(starts, people)
        if expected not in TABLES:
            assert expected in told.refused, (door, starts, people, expected, told)
            self.ledger.refusals.append(expected)
            return None
        assert told.place == expected, (door, starts, people, expected, told)
        self.accepted[channel] += 1
        return self.ledger.add(
            name,
            people,
            told.place,
            starts,
            self.ledger.turn(starts, people),
            channel,
            code=told.code,
            token=told.token,
            who=who,
            email=email,
        )

    def fill(self):
        """Let people book until the list has sixty lines; some get nothing."""
        starts = [*quarters(at("12:00"), at("13:30")), *quarters(at("18:00"), at("22:30"))]
        dice = random.Random(7)
        # Four large parties have all the large tables, and the fifth none.
        for n, starts_at in enumerate(quarters(at("18:00"), at("19:00"))):
            self.wish(("page", "guest")[n % 2], starts_at, 6)
        for _ in range(2):  # a choir has two tables that are pushed together; another has none
            self.wish("phone", at("21:00"), 12)
        doors = ["page", "guest", "phone", "program"]
        for n in count():
            if len(self.ledger.entries) == WISHED:
                break
            assert n < 3 * WISHED
            self.wish(doors[n % 4], dice.choice(starts), dice.choice(SIZES))
        self.queue()

    def queue(self):
        """Ask for places that are decided by the worker: some are free, some taken meanwhile."""
        asked = []
        for n, starts in enumerate(quarters(at("21:30"), at("22:30"))):
            people = 1 + n % 2
            place = self.ledger.expects(starts, people, "API")
            if place in TABLES:
                ends = self.ledger.turn(starts, people)
                codes = [self.doors.in_the_queue(place, starts, ends, people) for _ in range(2)]
                entry = self.ledger.add("petra", people, place, starts, ends, "API", codes[0])
                entry.who, entry.events = "petra", ["CREATED", "CHECKING_AVAILABILITY", "CONFIRMED"]
                asked.append((entry, codes[1]))
                self.accepted["API"] += 1
        self.house.work()
        assert asked
        for entry, second in asked:
            assert self.doors.decided(entry.code).place == entry.place
            expected = self.ledger.expects(entry.starts, entry.people, "API", entry.place)
            assert self.doors.decided(second).refused == expected
            self.ledger.refusals.append(expected)


@pytest.mark.one_database("postgresql")
def test_an_owners_evening(clock, capsys, mailoutbox):
    clock.now = at("10:00", 23)
    house = House(capsys, mailoutbox)
    for login in [*MEMBERS, "petra", "rita"]:
        house.member(login, "bob@example.org" if login == "bob" else "")
    ledger = Ledger([(at("12:00"), at("15:00")), (at("18:00"), at("0:30", 26))])
    doors = Doors(house, house.program("petra"), house.program("rita"))
    evening = Evening(house, doors, ledger)
    evening.fill()
    assert min(evening.accepted.values()) >= 10
    assert len(evening.accepted) == 4
    assert Counter(ledger.refusals).keys() == {"pacing_full", "slot_taken"}
    find_guests(house, ledger)
    service = Service(house, doors, ledger, clock)
    service.rearrange()
    sheet_is(house, ledger)
    service.run(quarters(at("11:45"), at("0:45", 26)))
    service.strike(at("19:00", 26))
    house.work()
    sheet_is(house, ledger)
    numbers_are(house, ledger)
    told_is(house, ledger, mailoutbox)
    assert ledger.doubled() == []
    checked = capsys.readouterr()
    call_command("check_bookings")
    checked = capsys.readouterr().out
    assert "no violations" in checked, checked


def find_guests(house, ledger):
    """Learn from the mails which code each guest's link is about: the staff's day has the codes."""
    page = house.host.get(f"/staff/{house.slug}/", {"date": DAY}).text
    rows = re.findall(r'id="b-([\w-]{36})".*?class="name">(.*?)<', page, re.DOTALL)
    codes = {unescape(name): code for code, name in rows}
    for entry in ledger.entries:
        entry.code = entry.code or codes[entry.name]


def sheet_is(house, ledger):
    """Compare the day's sheet with the list: every name, the counts, the covers."""
    answer = house.host.get(f"/staff/{house.slug}/", {"date": DAY})
    names = re.findall(r'class="name">(.*?)<', answer.text)
    assert Counter(map(unescape, names)) == Counter(entry.name for entry in ledger.entries)
    head = text_of(re.search(r'<dl class="counts">.*?</dl>', answer.text, re.DOTALL)[0])
    assert f"{len(ledger.kept)}" in re.findall(r"\d+", head), head
    day = answer.context["day"]
    assert len(day.booked) == len(ledger.kept)
    assert dict(day.covers) == ledger.covers()
    assert day.people == sum(entry.people for entry in ledger.kept)


def text_of(part):
    return re.sub(r"\s+", " ", re.sub("<.*?>", " ", part)).strip()


def numbers_are(house, ledger):
    """Compare the page of numbers, and its files, with what the list adds up to."""
    came, missed = ledger.count("COMPLETED"), ledger.count("NO_SHOW")
    people = sum(entry.people for entry in ledger.kept)
    share = round(100 * missed / (came + missed), 1)
    expected = [len(ledger.kept), people, came, missed, share, ledger.count("CANCELLED")]
    [row] = table(house, "days", DAY, DAY)
    assert (row[0], [float(value) for value in row[1:]]) == (DAY, expected)
    channels = {row[0]: int(row[1]) for row in table(house, "channels", DAY, DAY)}
    kept = Counter(LANGUAGES[entry.channel] for entry in ledger.kept)
    assert channels == dict(kept)
    hours = table(house, "hours", DAY, "2026-11-26")
    assert sum(float(row[2]) for row in hours) == ledger.booked_hours()
    # The end of the night before, lunch and dinner, and the next day until midnight.
    opened = 20 * (0.5 + 3 + 6.5 + 3 + 6)
    assert sum(float(row[3]) for row in hours) == opened
    page = text(house.host.get(f"/staff/{house.slug}/numbers/", {"from": DAY, "to": DAY}))
    for number in (len(ledger.kept), people, missed):
        assert re.search(rf"\b{number}\b", page), number


def table(house, name, first, last):
    address = f"/staff/{house.slug}/numbers/{name}.csv"
    answer = house.host.get(address, {"from": first, "to": last})
    return list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))[1:]


def told_is(house, ledger, outbox):
    """Compare the log with what happened, in order; and everybody's mails."""
    log, after = {}, ""
    reader = house.program("marat")
    while True:
        page = reader.get("/api/v1/events", {"limit": 100, **({"after": after} if after else {})})
        said = page.json()
        for event in said["items"]:
            log.setdefault(event["booking"]["code"], []).append((event["id"], event["kind"]))
        after = said["next_cursor"]
        if not said["has_more"]:
            break
    for entry in ledger.entries:
        numbered = [f"{entry.code}.{n}" for n in range(1, len(entry.events) + 1)]
        assert log[entry.code] == list(zip(numbered, entry.events, strict=True)), entry
    expected = Counter((entry.email, kind) for entry in ledger.entries for kind in entry.mails)
    words = {"yours": " is yours: ", "moved": "Moved: ", "cancelled": "Cancelled: "}
    words |= {"nobody": "Nobody came: "}
    sent = Counter(
        (mail.to[0], kind)
        for mail in outbox
        for kind, said in words.items()
        if said in mail.subject
    )
    assert sent == expected
