"""How many statements each request of the benchmarks costs: counts, not times."""

from email import message_from_string
from itertools import islice

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import clicks, scene
from bookings.finding.shelf import shelf
from spaces.factories import open_space

pytestmark = pytest.mark.django_db

#: At most, for each line of the benchmarks' table; transactions' own statements aren't counted.
STATEMENTS = {
    "healthz": 0,
    "empty page": 2,
    "home": 3,
    "board: something changed": 2,
    "board: nothing changed": 2,
    "board: 304": 2,
    "board: as in the mix": 3,
    "search (API)": 3,
    "history": 5,
    "booking: won": 8,
    "booking: lost": 12,
    "cancel": 11,
}
SMALL = {"PLACES": 6, "NEAR": 2, "FAR": range(16, 18), "TAKEN": 2, "CHANGING": 1}
SMALL |= {"HISTORIES": 1, "HISTORY": 3}
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@pytest.fixture
def made(monkeypatch):
    """Set the benchmarks' scene, but a small one; return what makes their requests."""
    for name, value in SMALL.items():
        monkeypatch.setattr(scene, name, value)
    monkeypatch.setattr(clicks, "PEOPLE", 3)
    monkeypatch.setattr(clicks, "BOOKERS", 2)
    open_space(slug=scene.SLUG, time_zone="Europe/Moscow")
    found = scene.set_the_scene(3)
    return clicks.Clicks(found)


def play(step):
    """Send one request of the benchmarks; return the answer and its statements."""
    name, _, head, body = step
    request, _, lines = head.partition("\r\n")
    method, path, _ = request.split()
    headers = message_from_string(lines)
    client = Client(headers={"cookie": headers["Cookie"], "accept-language": "en"})
    kind = headers["Content-Type"] or "application/octet-stream"
    with CaptureQueriesContext(
        connection,
    ) as found:
        answer = client.generic(method, path, body, content_type=kind)
    statuses, location = clicks.RULES[name]
    assert answer.status_code in statuses, (name, answer.status_code, answer.content[:500])
    assert location in answer.get("Location", "")
    return answer, [q["sql"] for q in found if not q["sql"].startswith(TRANSACTION)]


def steps(made, line, count):
    (plan,) = made.plans(line, 1, count)
    return list(islice(plan["steps"] * count if plan["cycle"] else plan["steps"], count))


def test_no_line_costs_more_statements_than_we_think(made):
    counted = {}
    for line in clicks.LINES:
        if line.step == "mix":  # has only requests of the other lines
            continue
        for step in steps(made, line, 2):  # the first fills what a process keeps
            answer, statements = play(step)
            if line.step == "book":
                made.made.append((step[1], answer["Location"].split("/")[-2]))
        counted[line.name] = len(statements)
    assert counted.keys() == STATEMENTS.keys()
    too_many = {name: count for name, count in counted.items() if count > STATEMENTS[name]}
    assert too_many == {}, str(counted)


def test_much_of_the_boards_is_found_as_the_mix_goes(made, clock):
    """Before each third look somebody books on one of the days; half of the people name a time."""
    shelf.clear()
    for n in range(90):
        if n % clicks.LOOKS_PER_CHANGE == 0:
            play(made.one("book", 1))
        play(made.one("board", 0))
    assert shelf.found / (shelf.found + shelf.made) > 0.4
