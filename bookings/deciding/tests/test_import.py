"""import_bookings: every line on its own, nothing twice, and a report that people can use."""

import csv
import signal
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import importing, leaving, services
from bookings.deciding.importing import read, request
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.deciding.sheets import FileError
from bookings.deciding.tests.test_queue import break_setup
from bookings.management.commands.import_bookings import interrupts
from bookings.models import Booking
from bookings.states import State
from config.tests.processes import PATIENCE
from spaces.factories import PolicyFactory, open_space

HEAD = "space,place,starts_at,ends_at,party_size,member,guest_name,guest_contact,note"


@pytest.fixture
def run(tmp_path):
    """Run the command on a file of these lines; return what it printed."""

    def run(*lines, **options):
        path = tmp_path / "bookings.csv"
        content = options.pop("content", None)
        path.write_bytes("\n".join([HEAD, *lines]).encode() if content is None else content)
        output = StringIO()
        call_command("import_bookings", path, stdout=output, stderr=StringIO(), **options)
        return output.getvalue().splitlines()

    return run


@pytest.fixture
def line(soon):
    """Write a line: desk n of Loft for alice, from ten o'clock."""

    def line(place=1, start=0, length=2, who="alice", space="loft", note=""):
        starts_at = soon + timedelta(hours=start)
        ends_at = starts_at + timedelta(hours=length)
        times = f"{starts_at:%Y-%m-%dT%H:%M},{ends_at:%Y-%m-%d %H:%M}"
        return f"{space},{place},{times},,{who},,,{note}"

    return line


@pytest.mark.django_db(transaction=True)
class TestCommand:
    def test_lines_are_booked_and_rejected_ones_say_why(self, run, line, space, alice, bob, soon):
        output = run(line(), line(who="bob"), line(place=2, length=13))
        ten, twelve = f"{soon:%Y-%m-%dT%H:%M}", f"{soon + timedelta(hours=2):%Y-%m-%d %H:%M}"
        assert output[0] == (
            f"line 3: loft 1, {ten} to {twelve}: Somebody else has the place for part of that time."
        )
        assert output[1].endswith("The space is not open for all of that time.")
        assert output[2:] == ["3 lines: 1 booked, 2 refused; 0 of them asked for before"]
        assert not Booking.objects.undecided().exists()
        booked = Booking.objects.get(state=State.CONFIRMED)
        assert (booked.member, booked.starts_at, booked.events.first().actor) == (alice, soon, None)
        assert list(violations(now=timezone.now())) == []

    def test_the_same_file_again_books_nothing_twice(self, run, line, space, alice, bob):
        lines = [line(), line(place=2), line(who="bob"), line(who="nobody")]
        first = run(*lines)
        again = run(*lines)
        assert first[-1] == "4 lines: 2 booked, 2 refused; 0 of them asked for before"
        assert again == [*first[:-1], "4 lines: 2 booked, 2 refused; 3 of them asked for before"]
        assert Booking.objects.count() == 3

    def test_the_same_line_twice_is_two_requests(self, run, line, space, alice):
        assert run(line(), line())[-1] == "2 lines: 1 booked, 1 refused; 0 of them asked for before"
        assert Booking.objects.count() == 2

    def test_more_lines_later_are_booked_too(self, run, line, space, alice):
        run(line())
        assert run(line(place=2), line())[-1].endswith(
            "2 booked, 0 refused; 1 of them asked for before"
        )

    def test_bookings_cancelled_meanwhile_are_not_reported_as_booked(
        self, run, line, space, alice, tmp_path
    ):
        lines = [line(), line(place=2), line(who="nobody")]
        run(*lines)
        services.cancel(Booking.objects.get(place__number=1), by=alice, now=timezone.now())
        output = run(*lines)
        assert output[0].endswith(": It was booked before, and cancelled since.")
        assert output[-1] == (
            "3 lines: 1 booked, 1 refused, 1 cancelled since; 2 of them asked for before"
        )
        run(*lines, report=tmp_path / "report.csv")
        report = list(csv.reader((tmp_path / "report.csv").read_text("utf-8").splitlines()))
        assert [row[:2] for row in report[1:]] == [
            ["2", "cancelled_since"],
            ["4", "no_such_member"],
        ]
        assert Booking.objects.count() == 2

    def test_bad_lines_do_not_affect_good_ones(self, run, line, space, alice):
        good = line()
        bad = [
            line(place=99),
            line(place="desk"),
            line(space=""),
            line(space="attic"),
            line(who=""),
            line(who="mallory"),
            line(note="n" * 501),
            line(note="\0"),
            line(length=-1),
            line() + ",more",
            "loft,1,tomorrow,2026-11-25T10:00,,alice,,,",
            "loft,1",
            f"{line()[:-8]}x,alice,,,",
            line().replace(",,alice", ",0,alice"),
            line().replace(",,alice", ",99999,alice"),
            line().replace("alice,,", "alice,Ivan,"),
        ]
        output = run(*bad, good)
        assert output[-1] == f"{len(bad) + 1} lines: 1 booked, {len(bad)} refused; " + (
            "0 of them asked for before"
        )
        assert [text.split(":")[0] for text in output[:-1]] == [
            f"line {n + 2}" for n in range(len(bad))
        ]
        assert Booking.objects.count() == 1

    def test_the_report_is_a_file_for_programs(self, run, line, space, alice, tmp_path):
        report = tmp_path / "refused.csv"
        output = run(line(), line(), line(who="nobody"), report=report)
        assert output == ["3 lines: 1 booked, 2 refused; 0 of them asked for before"]
        assert list(csv.reader(report.read_text("utf-8").splitlines())) == [
            ["line", "codes", "reasons"],
            ["3", "slot_taken", "Somebody else has the place for part of that time."],
            ["4", "no_such_member", "There is no such member."],
        ]

    def test_guests_are_booked_with_their_contact(self, run, line, space):
        run(line().replace("alice,,", ",Ivan,+7 900"))
        booking = Booking.objects.get()
        assert (booking.member, booking.guest_name, booking.guest_contact) == (
            None,
            "Ivan",
            "+7 900",
        )

    def test_staff_book_for_the_spaces_they_run(self, run, line, space, alice, host):
        open_space(slug="attic")
        output = run(line(), line(space="attic"), by="HANNA")
        assert output[0].endswith("Only the staff of that space may book for others.")
        assert Booking.objects.get().events.first().actor == host

    def test_an_unknown_staff_login_stops_it(self, run, line, space, alice):
        with pytest.raises(CommandError, match="nobody with the login 'boss'"):
            run(line(), by="boss")
        assert not Booking.objects.exists()

    def test_rules_hold_as_for_everybody(self, run, line, space, alice):
        PolicyFactory.create(space=space, max_upcoming=1)
        output = run(line(), line(place=2))
        assert output[0].endswith("One member may not have more upcoming bookings here.")

    def test_a_member_who_left_is_refused(self, run, line, space, alice, tmp_path):
        text = line()
        leaving.leave(alice, by=alice, now=timezone.now())
        assert "There is no such member." in run(text)[0]

    def test_requests_from_an_earlier_run_are_decided_now(self, run, line, space, alice):
        list(request(read(f"{HEAD}\n{line()}".encode()), by=None))
        assert Booking.objects.undecided().count() == 1
        assert run(line()) == ["1 lines: 1 booked, 0 refused; 1 of them asked for before"]

    def test_a_decision_that_always_fails_ends_as_a_refusal(
        self, run, line, space, alice, settings, caplog
    ):
        settings.DECISION_LEASE_SECONDS = 0
        break_setup(space)
        output = run(line())
        assert output[0].endswith("Something on our side kept this from being decided.")
        assert caplog.messages == ["a decision failed"] * 5

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"\xff\xfe", "empty"),
            (b"place,guest_name\n1,\xff", "Line 2 is not utf-8"),
            (b"place,starts_at,ends_at,colour,member\n", "Unknown columns: 'colour'"),
            (b"place,starts_at,member\n", "Missing columns: 'ends_at'"),
            (b"place,place,starts_at,ends_at,member\n", "Repeated columns: 'place'"),
            (b"place,starts_at,ends_at\n", "'member' or 'guest_name'"),
            (HEAD.encode() + b'\nloft,1,"', "Line 2 can’t be read"),
        ],
    )
    def test_a_file_that_can_not_be_read_changes_nothing(self, run, db, content, words):
        with pytest.raises(CommandError, match=words):
            run(content=content)

    def test_a_missing_file_is_reported(self, db, tmp_path):
        with pytest.raises(CommandError, match="No such file"):
            call_command("import_bookings", tmp_path / "none.csv")

    def test_an_unwritable_report_is_noticed_beforehand(self, run, line, space, alice):
        with pytest.raises(CommandError, match="No such file"):
            run(line(), report=Path("/nowhere/at/all.csv"))
        assert not Booking.objects.exists()

    def test_the_first_ctrl_c_waits_and_the_second_does_not(self):
        before = signal.getsignal(signal.SIGINT)
        with interrupts() as interrupt:
            interrupt()  # not pressed yet
            signal.raise_signal(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) == before  # so the second works as usual
            with pytest.raises(KeyboardInterrupt):
                interrupt()
        assert signal.getsignal(signal.SIGINT) == before

    def test_an_interrupted_import_can_simply_be_run_again(self, run, line, alice, monkeypatch):
        open_space(slug="loft", places=30)
        lines = [line(place=n + 1) for n in range(30)]
        with monkeypatch.context() as patch:
            patch.setattr(importing, "request", stopping_at_the_tenth(signal.SIGINT))
            with pytest.raises(CommandError, match="Run it again") as raised:
                run(*lines)
        assert raised.value.returncode == 130
        assert run(*lines)[-1] == "30 lines: 30 booked, 0 refused; 10 of them asked for before"
        assert Booking.objects.filter(state=State.CONFIRMED).count() == 30
        assert list(violations(now=timezone.now())) == []

    def test_so_can_one_that_was_killed(self, run, line, alice, tmp_path, manage):
        open_space(slug="loft", places=30)
        lines = [line(place=n + 1) for n in range(30)]
        path = tmp_path / "half.csv"
        path.write_text("\n".join([HEAD, *lines]))
        process = manage("shell", "--no-imports", "-c", KILLED.format(path=str(path)))
        process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL
        assert run(*lines)[-1] == "30 lines: 30 booked, 0 refused; 10 of them asked for before"
        assert Booking.objects.filter(state=State.CONFIRMED).count() == 30
        assert list(violations(now=timezone.now())) == []


def stopping_at_the_tenth(number):
    """Return `importing.request`, but a signal arrives after ten lines, on any machine."""

    def stopping(lines, *, by):
        for count, entry in enumerate(request(lines, by=by), 1):
            if count == 10:
                signal.raise_signal(number)
            yield entry

    return stopping


KILLED = """
import signal
from django.core.management import call_command
from bookings.deciding import importing
from bookings.deciding.tests.test_import import stopping_at_the_tenth
importing.request = stopping_at_the_tenth(signal.SIGKILL)
call_command("import_bookings", {path!r})
"""


class TestRead:
    def test_commas_semicolons_and_a_byte_order_mark(self):
        rows = "place;member;starts_at;ends_at\n1;alice;a;b\n"
        for content in (rows, rows.replace(";", ","), "\ufeff" + rows, rows.replace("\n", "\r\n")):
            (line,) = read(content.encode())
            assert (line.number, line["place"], line["member"]) == (2, "1", "alice")

    def test_column_names_may_be_upper_case_and_in_any_order(self):
        one, two = read(b"Place, Member ,starts_at,ends_at\n1,alice,a,b\n1,alice,a,c")
        (same,) = read(b"member,ends_at,starts_at,place\nalice,b,a,1\n,,,")
        assert same.key == one.key != two.key

    def test_lines_are_numbered_as_in_the_file(self):
        lines = read(b'place,member,starts_at,ends_at,note\n\n1,a,a,b,"two\nlines"\n2,a,a,b,\n')
        assert [line.number for line in lines] == [3, 5]

    def test_what_stands_before_the_names_of_columns_is_counted(self):
        head = "\n,,\nsep=;\n\nplace;member;starts_at;ends_at;note\n"
        rows = head + '1;a;a;b;"two\nlines"\n;;;;\n2;a;a;b;'
        for end in ("\n", "\r\n", "\r"):
            lines = read(rows.replace("\n", end).encode("utf-16"))
            assert [(line.number, line["place"], line["note"]) for line in lines] == [
                (6, "1", "two\nlines"),
                (9, "2", ""),
            ]

    def test_a_file_without_lines_is_fine(self):
        assert read(b"place,member,starts_at,ends_at\n") == []

    def test_two_separators_are_not_guessed(self):
        with pytest.raises(FileError):
            read(b"place,member;starts_at,ends_at\n")


@pytest.mark.django_db
class TestPlaces:
    def test_a_code_needs_no_space(self, space, desk, alice, soon):
        when = f"{soon:%Y-%m-%dT%H:%M},{soon + timedelta(hours=1):%Y-%m-%dT%H:%M}+00:00"
        rows = [f"{space},{desk.code},{when},alice" for space in ("", "loft", "attic")]
        lines = read("\n".join(["space,place,starts_at,ends_at,member", *rows]).encode())
        entries = list(request(lines, by=None))
        assert [entry.booking and entry.booking.place for entry in entries] == [desk, desk, None]
        assert [p.code for p in entries[2].problems] == ["other_space"]

    @pytest.mark.parametrize(("number", "is_there"), [("02", True), ("0000000012", False)])
    def test_a_number_is_matched_as_a_whole(self, space, soon, line, alice, number, is_there):
        lines = read("\n".join([HEAD, line(place=number)]).encode())
        (entry,) = request(lines, by=None)
        assert (entry.booking is not None) == is_there

    def test_times_are_in_the_spaces_zone(self, alice):
        open_space(slug="volga", time_zone="Europe/Samara")
        head, times = "space,place,starts_at,ends_at,member", "2030-01-02T10:00,2030-01-02 11:00"
        (entry,) = request(read(f"{head}\nvolga,1,{times},alice".encode()), by=None)
        assert entry.booking.starts_at.isoformat() == "2030-01-02T06:00:00+00:00"

    @pytest.mark.parametrize("count", [1, 30])
    def test_few_queries_for_each_line(
        self, space, soon, django_assert_max_num_queries, line, count
    ):
        for n in range(count):
            UserFactory.create(username=f"m{n}")
        lines = read("\n".join([HEAD, *[line(who=f"m{n}") for n in range(count)]]).encode())
        with django_assert_max_num_queries(3 + 8 * count):
            list(request(lines, by=None))
        assert decide_next(now=timezone.now()) == 1
