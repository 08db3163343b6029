"""What a report says is what a history holds; nothing in it is taken for markup."""

import json
import re
from xml.etree import ElementTree

import pytest

from chaos import report
from chaos.history import Act, Fault, Try, Writer
from chaos.reporting.measures import gap, measure, parted, quantile, stretches
from chaos.reporting.words import meaning, percent, seconds
from chaos.verdict import Counts, Verdict

pytestmark = pytest.mark.any_database

T = 1_796_000_000.0
GOOD = Verdict(Counts(acts=1, tried=1, answered=1, confirmed=1))


def act(kind, *tries, told="CONFIRMED"):
    """Make an act of (when, how long, status) each."""
    return Act("m", kind, "api", [Try(T + at, took, status) for at, took, status in tries], told)


def steady(kind="book", until=60, but=()):
    """Make an act in the middle of each second, except of some."""
    return [act(kind, (n + 0.5, 0.1, 200)) for n in range(until) if n not in but]


def fault(began, recovered, kind="primary", **more):
    return Fault(kind, "postgres1", T + began, T + began, T + recovered, **more)


def gaps(lines):
    [hit] = measure(lines).hits
    return round(hit.write_gap, 2), round(hit.read_gap, 2)


def test_a_gap_lasts_from_the_last_success_to_the_next():
    failing = [act("book", (20.2, 0.1, 503), (21, 3.5, 0), (25, 0.2, 200))]
    lines = [*steady(but=range(20, 25)), *failing, *steady("board"), fault(20, 30)]
    assert gaps(lines) == (5.0, 0.1)  # from 20.2 to 25.2; boards answer all the time


def test_a_gap_counts_from_the_fault_when_somebody_was_waiting_already():
    lines = [*steady(but=range(18, 25)), act("book", (18, 7, 200)), fault(20, 22)]
    assert gaps(lines) == (5.0, 0.0)


def test_a_gap_ends_with_a_success_after_the_recovery():
    lines = [*steady(but=range(20, 40)), act("book", (20, 20, 200)), fault(20, 22)]
    assert gaps(lines)[0] == 20.0


def test_a_gap_without_end_lasts_as_long_as_the_run():
    lines = [*steady(until=20), act("book", (20, 40, 0), told=""), fault(20, 22)]
    assert gaps(lines)[0] == 40.0


def test_when_nobody_wants_anything_nothing_is_missing():
    lines = [*steady(but=range(20, 40)), fault(20, 30)]
    assert gaps(lines)[0] == 0.0


def test_another_faults_gap_is_not_counted():
    failing = [act("book", (40.2, 0.1, 503), (44, 0.2, 200))]
    lines = [*steady(but=range(40, 44)), *failing, fault(20, 30)]
    assert gaps(lines)[0] == 0.1


def test_being_sent_away_is_no_success():
    lines = [act("book", (n, 0.1, 429)) for n in range(5)]
    assert stretches(parted(lines)[0], T + 10) == [(T, T + 10)]


def test_looking_at_a_queued_request_only_reads():
    queued = act("queue", (0, 0.1, 503), (1, 0.1, 202), (2, 0.1, 200), (3, 0.1, 200))
    writes, reads = parted([queued, act("cancel", (4, 0.1, 200)), act("search", (5, 0.1, 200))])
    assert [each.at - T for each in writes] == [0, 1, 4]
    assert [each.at - T for each in reads] == [2, 3, 5]


def test_seconds_count_what_was_sent_in_them():
    lines = [
        act("book", (0, 0.1, 200)),
        act("book", (0.2, 0.3, 503), (2.5, 0.5, 200)),
        act("board", (2.6, 0.1, 0), told=""),
    ]
    first, empty, third = measure(lines).seconds
    assert (first.tried, first.answered, first.share) == (2, 1, 0.5)
    assert (first.acts, first.acts_answered) == (2, 2)
    assert (empty.tried, empty.share, empty.p50) == (0, None, None)
    assert (third.tried, third.answered, third.p99) == (2, 1, 0.5)
    assert (third.acts, third.acts_answered) == (1, 0)


def test_a_fault_counts_what_was_never_answered():
    left = act("book", (25, 1, 503), (28, 1, 503), told="")
    [hit] = measure([*steady(), left, fault(20, 30)]).hits
    assert (hit.tried, hit.failed, hit.unanswered) == (12, 2, 1)
    assert hit.broken == ["1 unanswered"]


def test_a_gap_that_is_too_long_fails_the_run(tmp_path):
    lines = [*steady(but=range(20, 29)), act("book", (20, 8.5, 200)), fault(20, 22)]
    assert not written(tmp_path, lines)["passed"]
    assert "Failed" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("kind", "seconds", "is_kept"),
    [
        ("primary", 4.5, True),
        ("primary", 5.5, False),
        ("web-node", 5.5, False),
        ("rolling-restart", 5.5, False),
        ("a kind that is new", 5.5, False),
        ("hung-primary", 24, True),
        ("hung-primary", 26, False),
        ("partition", 26, False),
        ("restart", 300, True),
    ],
)
def test_each_kind_of_fault_has_its_limit(kind, seconds, is_kept):
    failing = act("book", (20, 0.1, 503), (20 + seconds - 1, 1, 200))
    measures = measure([*steady(until=20), failing, fault(20, 21, kind=kind)])
    assert measures.is_within_limits is is_kept


@pytest.mark.parametrize("lines", [[], [fault(0, 1)], steady(until=1), steady(until=2000)])
def test_whatever_happened_can_be_drawn(lines, tmp_path):
    data = written(tmp_path, lines)
    assert len(data["seconds"]) == max(0, len([x for x in lines if isinstance(x, Act)]))
    root = ElementTree.parse(tmp_path / "report.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_what_others_said_is_text_and_not_markup(tmp_path):
    evil = '<script>alert("x")</script><img src=x onerror=1>&amp;'
    lines = [*steady(until=3), fault(1, 2, kind=evil, text=evil)]
    verdict = Verdict(GOOD.counts, lost=[evil], doubled=[evil] * 500)
    written(tmp_path, lines, verdict, {evil: evil}, [evil])
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"<(script|img)\b", page)
    assert page.count("&lt;script&gt;") > 100
    ElementTree.parse(tmp_path / "report.svg")


def test_a_page_needs_nothing_else(tmp_path):
    written(tmp_path, [*steady(), fault(20, 30)])
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"""(src|href)=|url\(|@import""", page)


def test_a_complaint_fails_the_run(tmp_path):
    data = written(tmp_path, steady(), problems=["m1: a session was lost"])
    assert not data["passed"]
    assert "m1: a session was lost" in (tmp_path / "report.html").read_text()


def written(folder, lines, verdict=GOOD, about=None, problems=()):
    history = folder / report.HISTORY
    writer = Writer(history)
    for line in lines:
        writer.write(line)
    writer.close()
    page = report.write(history, verdict, folder, about, problems)
    assert page == folder / "report.html"
    return json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1, "100 %"),
        (0, "0 %"),
        (0.5, "50.00 %"),
        (0.99996, "99.996 %"),
        (0.99999999, "nearly 100 %"),
    ],
)
def test_nearly_all_is_not_all(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0.0123, "12 ms"), (1.5, "1.50 s"), (21.26, "21.3 s"), (150, "2 min 30 s")],
)
def test_times_are_short(value, words):
    assert seconds(value) == words


def test_a_month_is_reckoned_from_the_run():
    failing = [act("book", (20.2, 0.1, 503), (25.9, 0.3, 200))]
    found = measure([*steady(until=100, but=range(20, 26)), *failing, fault(20, 30)])
    text = " ".join(meaning(found))
    assert round(found.without_writes, 1) == 6.0
    assert "would lack 2,6" in text
    assert "room for 432 such faults a month" in text


def test_quantiles_are_values_that_were_there():
    values = list(range(1, 101))
    assert (quantile(values, 0.5), quantile(values, 0.99)) == (50, 99)
    assert (quantile([7], 0.99), quantile([], 0.5)) == (7, None)


def test_a_fault_that_nobody_met_has_no_gap():
    assert gap(fault(0, 1), []) == 0.0
