"""A dead worker is noticed: by a monitor, at the desk, and on the command line."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from bookings.tests.acts import ask, hours
from config.heartbeat import FORGOTTEN_AFTER, GONE_AFTER, Attendance, Heartbeat, lasting
from config.management.commands.worker import LANES, Task, side_by_side, stop_signals
from config.models import WorkerHeartbeat
from config.tests.processes import PATIENCE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DESK = ["/admin/", "/admin/bookings/booking/?day=today"]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def worker():
    """A worker that is alive, and was seen just now."""
    worker = Heartbeat()
    worker.beat(now=timezone.now())
    return worker


@pytest.fixture
def waiting(desk, alice, soon):
    """A request from two minutes ago that is waiting for a decision."""
    return ask(desk, alice, timezone.now() - 2 * MINUTE, soon)


class TestHeartbeat:
    def test_a_worker_is_missed_when_no_heartbeat_has_come_for_long(self, now):
        """A killed one leaves its row behind; see `test_queue_race`, and `test_worker`."""
        Heartbeat().beat(now=now)
        assert Attendance.at(now + GONE_AFTER / 2).problems == []
        assert Attendance.at(now + GONE_AFTER).problems == ["no_worker"]

    def test_each_worker_has_one_row(self, now):
        one, other = Heartbeat(), Heartbeat()
        for seconds in range(3):
            one.beat(now=now + timedelta(seconds=seconds))
            other.beat(now=now)
        assert Attendance.at(now).workers == 2
        assert WorkerHeartbeat.objects.count() == 2
        one.stop()
        assert Attendance.at(now).workers == 1

    def test_a_heartbeat_costs_one_statement(self, worker, django_assert_num_queries):
        with django_assert_num_queries(1):
            worker.beat(now=timezone.now())

    def test_a_starting_worker_removes_rows_of_long_dead_ones(self, now):
        Heartbeat().beat(now=now - FORGOTTEN_AFTER - MINUTE)
        Heartbeat().beat(now=now - FORGOTTEN_AFTER + MINUTE)
        Heartbeat().beat(now=now)
        assert WorkerHeartbeat.objects.count() == 2

    def test_a_worker_that_was_taken_for_dead_comes_back(self, worker):
        WorkerHeartbeat.objects.all().delete()
        worker.beat(now=timezone.now())
        assert Attendance.at(timezone.now()).workers == 1

    def test_half_a_worker_does_not_look_alive(self):
        """A lane that ends stops the others too, and the worker fails."""

        def ends(*, now):
            raise SystemExit

        def lives(*, now):
            return 0

        lanes = {"ends": [Task(ends)], "lives": [Task(lives)]}
        with stop_signals() as is_stopping, pytest.raises(SystemExit):
            side_by_side(lanes, interval=60, is_stopping=is_stopping)

    def test_no_working_lane_sends_the_heartbeat(self):
        """Whatever a step is waiting for, the heartbeat is on time."""
        assert "heartbeat" not in LANES


class TestMonitor:
    def test_a_balancer_does_not_mind(self, client, waiting):
        assert client.get("/readyz").status_code == 200
        assert client.get("/readyz?worker=0").status_code == 200

    def test_all_is_well(self, client, worker):
        answer = client.get("/readyz?worker=1")
        assert answer.status_code == 200
        assert answer.json() == {
            "problems": [],
            "workers": 1,
            "last_seen_at": answer.json()["last_seen_at"],
            "oldest_request_at": None,
        }

    def test_no_worker_has_ever_been_seen(self, client):
        answer = client.get("/readyz?worker=1")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["no_worker"])
        assert answer.json()["last_seen_at"] is None

    def test_a_request_waits_though_a_worker_is_alive(self, client, worker, waiting):
        answer = client.get("/readyz?worker=1")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["request_waits"])

    def test_both(self, client, waiting):
        assert client.get("/readyz?worker=1").json()["problems"] == ["no_worker", "request_waits"]

    def test_a_new_request_is_no_problem(self, client, worker, desk, alice, soon):
        ask(desk, alice, timezone.now(), soon)
        assert client.get("/readyz?worker=1").status_code == 200

    def test_the_database_is_down(self, client):
        def lost(*_):
            raise OperationalError("gone")

        with connection.execute_wrapper(lost):
            answer = client.get("/readyz?worker=1")
        assert answer.status_code == 503
        assert answer.json() == {"problems": ["database_unreachable"]}


class TestStatus:
    def test_all_is_well(self, worker):
        out = StringIO()
        call_command("worker", status=True, stdout=out)
        assert out.getvalue() == "Workers alive: 1. Oldest waiting request: none.\n"

    def test_it_fails_and_says_what_is_wrong(self, waiting):
        Heartbeat().beat(now=timezone.now() - timedelta(minutes=5, seconds=5))
        with pytest.raises(CommandError) as error:
            call_command("worker", status=True)
        assert str(error.value).replace("\u00a0", " ") == (
            "The background worker is not running: requests stay undecided, and no mail is sent. "
            "It was last seen 5 min ago.\n"
            "A request has been waiting for its decision for 2 min."
        )

    def test_a_dead_database_causes_no_traceback(self, manage):
        process = manage("worker", "--status", DATABASE_URL="postgres://127.0.0.1:9/nowhere")
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert said.startswith("CommandError: The database can't be reached: ")


@pytest.mark.parametrize("page", DESK)
class TestDesk:
    def test_nothing_is_said_when_all_is_well(self, client, host, worker, page):
        client.force_login(host)
        assert "amiss" not in client.get(page).text

    def test_a_dead_worker_is_reported(self, client, host, page):
        client.force_login(host)
        assert (
            "The background worker is not running: requests stay undecided" in client.get(page).text
        )

    def test_a_waiting_request_is_reported(self, client, host, worker, waiting, page):
        client.force_login(host)
        assert (
            "A request has been waiting for its decision for 2\u00a0min." in client.get(page).text
        )

    def test_in_russian(self, client, host, waiting, page):
        client.force_login(host)
        text = client.get(page, headers={"accept-language": "ru"}).text
        assert "Фоновый обработчик не запущен" in text
        assert "Запрос ждёт решения уже 2\u00a0мин." in text


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=47), "47 h"),
        (hours(48), "2 d"),
    ],
)
def test_a_length_of_time_is_written_briefly(time, said):
    assert lasting(time) == said.replace(" ", "\u00a0")
