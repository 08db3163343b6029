"""What services leave in a real database is judged as what it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.deciding import queueing, services
from bookings.deciding.wish import Wish
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.tests.acts import TEN, book, hours
from chaos import judge as command
from chaos import report, verdict
from chaos.history import Act, Heard, Try, Writer
from chaos.verdict import judge
from notifications.factories import WebhookFactory
from notifications.models import Delivery
from notifications.relay import fan_out
from spaces.factories import PolicyFactory
from spaces.models import Policy

pytestmark = pytest.mark.usefixtures("in_this_transaction")


class Told:
    """A history that is written as things happen, a second for each."""

    def __init__(self, path, now):
        self.path, self.at = path, now.timestamp()
        path.touch()

    def write(self, line):
        writer = Writer(self.path)
        writer.write(line)
        writer.close()

    def act(self, member, kind, told, booking=None, *, start=None, length=2, **more):
        self.at += 1
        if start is not None:
            end = start + hours(length)
            more |= {"starts_at": start.isoformat(), "ends_at": end.isoformat()}
        if booking is not None:
            more |= {"code": str(booking.code)}
            if kind in ("book", "queue"):
                more |= {"key": booking.request_key}
        tries = [Try(self.at, 0.5, 200)]
        self.write(Act(member.username, kind, "page", tries, told, **more))

    def hear(self, name, kinds=BookingEvent.Kind.values):
        for n, event in enumerate(BookingEvent.objects.filter(kind__in=kinds).order_by("pk")):
            code = str(event.booking.code)
            words = f"booking.{event.kind.lower()}"
            number = event.sequence
            self.write(Heard(name, self.at + n, f"{code}.{number}", code, words, number))


@pytest.fixture
def told(tmp_path, now):
    return Told(tmp_path / "history.jsonl", now)


@pytest.fixture
def run(told, desk, alice, bob, now):
    """Everything that members do, once; what each was told; and a listener who heard it."""
    PolicyFactory.create(space=desk.space, max_upcoming=3)
    Policy.objects.update(changed_at=now - timedelta(days=1))
    hook = WebhookFactory.create(space=desk.space, url="https://example.org/hooks/one")
    hook.__class__.objects.update(listens_since=now - timedelta(days=1))
    kept = book(desk, alice, now, request_key="a1")
    told.act(alice, "book", "CONFIRMED", kept, place=desk.pk, start=TEN)
    lost = book(desk, bob, now, TEN + hours(1), request_key="b1")
    told.act(bob, "book", "REFUSED", lost, place=desk.pk, start=TEN + hours(1), text="slot_taken")
    later = TEN + hours(3)
    services.reschedule(
        kept, place=desk, starts_at=later, ends_at=later + hours(1), by=alice, now=now
    )
    told.act(alice, "amend", "CONFIRMED", kept, place=desk.pk, start=later, length=1)
    wish = Wish(place=desk, member=bob, starts_at=TEN, ends_at=TEN + hours(1), request_key="b2")
    queued = services.request(wish, by=bob, now=now)
    told.act(bob, "queue", "CREATED", queued, place=desk.pk, start=TEN, length=1)
    while queueing.decide_next(now=now):
        pass
    gone = book(desk, bob, now, TEN + hours(1), length=1, request_key="b3")
    told.act(bob, "book", "CONFIRMED", gone, place=desk.pk, start=TEN + hours(1), length=1)
    services.cancel(gone, by=bob, now=now)
    told.act(bob, "cancel", "CANCELLED", gone)
    told.act(bob, "board", "READ", place=desk.pk, start=TEN, length=9, own=[str(queued.code)])
    while fan_out(now=now):
        pass
    told.hear("one")
    return told


def wrong(run):
    return list(judge(run.path, "").wrong)


def test_what_services_leave_is_in_order(run):
    found = judge(run.path, "")
    assert found.wrong == {}
    assert found.is_good
    assert (found.counts.acts, found.counts.events, found.counts.heard) == (7, 8, 8)


def test_a_run_that_was_kept_is_judged_again(run, capsys):
    folder = run.path.parent
    verdict.keep("", folder)
    before = judge(run.path, "")
    Booking.objects.update(state="CANCELLED")  # too late for the copy
    assert judge(run.path, f"sqlite:///{folder / verdict.KEPT}") == before
    assert command.main([str(folder)]) == 0
    assert "Every promise was kept." in capsys.readouterr().out
    about, problems = {"Seed": "7"}, ["m1: a session was lost"]
    report.write(run.path, before, folder / "report", about, problems)
    assert command.main([str(folder)]) == 1
    found = report.kept(folder / "report")
    assert (found["about"], found["problems"], found["passed"]) == (about, problems, False)


def test_a_kept_run_with_a_mistake_fails(run, capsys):
    Booking.objects.filter(request_key="b3").update(state="CONFIRMED")
    verdict.keep("", run.path.parent)
    assert command.main([str(run.path.parent)]) == 1
    assert "revived: 1" in capsys.readouterr().out


@pytest.mark.parametrize("names", [[], [verdict.KEPT], [report.HISTORY]])
def test_a_folder_that_lacks_something_is_refused(names, tmp_path, capsys):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(SystemExit):
        command.main([str(tmp_path)])
    assert "there is no" in capsys.readouterr().err


def test_nothing_is_not_good(told):
    assert not judge(told.path, "").is_good


def test_a_line_that_was_cut_off_is_left_out(run):
    whole = judge(run.path, "")
    with run.path.open("a") as file:
        file.write('{"what": "Act", "memb')
    assert judge(run.path, "") == whole


def test_a_row_that_is_gone_is_found(run):
    for model in (BookedSlot, BookingEvent):
        model.objects.filter(booking__request_key="a1").delete()
    Booking.objects.filter(request_key="a1").delete()
    assert "lost" in wrong(run)


def test_slots_that_are_left_over_are_found(run):
    booking = Booking.objects.get(request_key="b1")
    BookedSlot.objects.create(booking=booking, place=booking.place, slot=TEN + hours(8))
    assert wrong(run) == ["slots"]


def test_an_event_that_is_missing_is_found(run):
    BookingEvent.objects.filter(booking__request_key="a1", kind="MOVED").delete()
    assert wrong(run) == ["unheard", "contradicted"]


def test_an_event_that_a_listener_lacks_is_found_with_the_state_of_its_delivery(run):
    lines = run.path.read_text().splitlines(keepends=True)
    run.path.write_text("".join(line for line in lines if "cancelled" not in line))
    [sentence] = judge(run.path, "").unheard
    assert sentence.startswith("one missed CANCELLED 2 of")
    assert sentence.endswith("PENDING")


def test_a_mail_may_be_skipped_but_not_lost(run):
    run.hear("mail", ["CONFIRMED", "MOVED"])
    by_mail = Delivery.objects.filter(endpoint__channel="MAIL")
    skipped = {"state": "SKIPPED", "settled_at": timezone.now()}
    by_mail.filter(event__kind="REJECTED").update(**skipped)
    [sentence] = judge(run.path, "").unheard
    assert sentence.startswith("mail missed CANCELLED 2 of")
    by_mail.filter(event__kind="CANCELLED").update(**skipped)
    assert wrong(run) == []


def test_a_booking_put_back_after_its_cancellation_is_found(run):
    Booking.objects.filter(request_key="b3").update(state="CONFIRMED")
    assert "revived" in wrong(run)


def test_a_quota_that_is_exceeded_is_found(run, now):
    Policy.objects.update(max_upcoming=0, changed_at=now - timedelta(days=1))
    assert wrong(run) == ["exceeded"]
