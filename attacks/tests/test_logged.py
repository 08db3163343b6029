"""What the report of a hostile run makes of the site's log."""

import json

import pytest

from attacks import logged

REQUEST = {"logger": "mesto.request", "status": 503, "route": "bookings/", "message": "request"}


def failed(status, said):
    error = {"type": "django.db.utils.OperationalError", "said": said, "frames": []}
    return {"status": status, "route": "bookings/", "exception": [error, error]}


def checked(folder, *lines, busy=0):
    log = folder / "web.log"
    log.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
    return logged.check(log, busy=busy)


def test_a_wait_for_the_database_explains_an_answer_that_says_so(tmp_path):
    outcome = checked(tmp_path, REQUEST, failed(503, "55P03"), failed(503, "57014"), busy=2)
    assert outcome.findings == []
    assert outcome.notes == ["2 × 503, too long a wait: bookings/"]


@pytest.mark.parametrize("busy", [0, 2])
def test_each_such_answer_needs_its_own_wait(tmp_path, busy):
    assert checked(tmp_path, failed(503, "55P03"), busy=busy).findings == [
        f"{busy} answers were 503, 1 of them by a wait"
    ]


@pytest.mark.parametrize(
    "line",
    [
        failed(500, "55P03"),
        failed(503, "08006"),
        failed(503, ""),
        {"message": "an error page could not be made", "exception": []},
        "Traceback (most recent call last):",
    ],
)
def test_everything_else_is_found(tmp_path, line):
    assert len(checked(tmp_path, REQUEST, line, "[]", "12").findings) == 1
