"""What `python -m benchmarks --scaling` asks for, and what it concludes."""

import pytest

from benchmarks import scaling
from benchmarks.clicks import PEOPLE

pytestmark = pytest.mark.any_database


def result(name, processes, rate, **costs):
    empty = dict.fromkeys(("p50", "p95", "busy", "haproxy_ms"))
    return {**empty, "name": name, "processes": processes, "rate": rate, "errors": {}} | costs


LINES = [
    result(scaling.BOARDS, 1, 50, web_ms=16, db_ms=1),
    result(f"{scaling.BOOKINGS}, {scaling.WHERE[0]}", 1, 100, web_ms=6, db_ms=2),
    result(f"{scaling.BOOKINGS}, {scaling.WHERE[0]}", 2, 180, web_ms=6, db_ms=2),
]


def test_it_compares_each_count_with_the_first():
    first, second = (scaling.row(each, LINES).split(" | ") for each in LINES[1:])
    assert (first[3], second[3]) == ("1.00", "1.80")


def test_it_says_when_the_database_is_full(monkeypatch):
    monkeypatch.setattr(scaling.os, "cpu_count", lambda: 2)
    alone, full, webs = scaling.limit(LINES, {"rate": 870.4, "clients": 32})
    assert "870 bookings/s" in alone
    assert "1000 bookings/s, or 2000 boards/s" in full
    assert "about 10 of them" in webs


def test_where_nothing_can_be_told_it_says_so():
    said = scaling.limit([each | {"db_ms": 0} for each in LINES], None)
    assert said == ["What the database uses can't be told on this machine."]


def test_every_client_asks_for_other_hours():
    cookies = {f"load{n}": "" for n in range(PEOPLE)}
    clicks = scaling.Dealt({"cookies": cookies, "token": "t", "far": [], "near": []})
    clicks.hours = [("place", f"2030-01-01T{hour:02}:00", "") for hour in range(10)]
    asked = [clicks._booking(person, 4, 2) for person in range(4)]
    bodies = [step[3].partition("&request_key")[0] for steps in asked for step in steps]
    assert [len(steps) for steps in asked] == [2, 2, 2, 2]
    assert len(set(bodies)) == 8
