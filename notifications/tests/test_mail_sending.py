"""Mail on its way to a server that may be slow, full, picky, or not there."""

import re
import runpy
from datetime import timedelta
from operator import attrgetter

import pytest
from django.utils import timezone

from accounts.factories import UserFactory
from accounts.services import change
from bookings.tests.acts import book, hours
from config.tests.processes import PATIENCE
from notifications.mail import sending
from notifications.mail.post import Post
from notifications.mail.sending import deliver_mail
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Delivered
from notifications.relay import fan_out
from notifications.tests.smtp import closed_port, mailers, receiving, silence
from spaces.models import OpeningHours, Space

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture
def server():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def now():
    """The relay uses the real clock."""
    return timezone.now()


@pytest.fixture
def members(tverskaya, soon, now):
    """Three people who have booked a desk each, in this order."""
    people = [
        UserFactory.create(username=name, email=f"{name}@example.org")
        for name in ("ada", "ben", "cleo")
    ]
    for person, place in zip(people, tverskaya.places.order_by("number"), strict=False):
        book(place, person, now, soon + timedelta(days=7))
    fan_out(now=now)
    return people


def deliveries():
    return list(Delivery.objects.order_by("pk"))


def states():
    return [delivery.state for delivery in deliveries()]


def test_a_batch_goes_over_one_connection(server, members, now):
    assert deliver_mail(now=now) == 3
    assert server.recipients == ["ada@example.org", "ben@example.org", "cleo@example.org"]
    assert server.connections == 1
    assert states() == ["DELIVERED"] * 3
    assert deliver_mail(now=now) == 0


def test_it_arrives_as_it_was_written(server, members, now):
    deliver_mail(now=now)
    message = server.messages[0]
    assert re.fullmatch("Desk 1 is yours: .+, 13:00–15:00", message["Subject"])
    assert [part.get_content_type() for part in message.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "text/calendar",
        "text/calendar",
    ]
    assert not message.defects


def test_no_id_or_address_is_encoded(server, members, now, settings):
    """Python folds long headers by encoding them; see `notifications.mail.headers`."""
    settings.SITE_URL = "https://bookings.of-a-house-with-a-rather-long-name.example.org"
    deliver_mail(now=now)
    for name in ("Message-ID", "References", "In-Reply-To"):
        assert re.fullmatch(r"<[0-9a-f-]{36}(\.1)?@bookings\.of-a-\S+>", server.messages[0][name])
        assert "=?" not in server.raw[0].decode().split(f"{name}:")[1].splitlines()[0]


@pytest.mark.parametrize("code", ["550", "553", "551"])
def test_a_permanently_refused_recipient_is_given_up_and_others_get_theirs(
    server, members, now, code
):
    server.answers["ada@example.org"] = f"{code} 5.1.1 <ada@example.org> is unknown here"
    deliver_mail(now=now)
    assert states() == ["DEAD", "DELIVERED", "DELIVERED"]
    # The staff see why; the address is personal, and the person may leave.
    assert deliveries()[0].error == f"{code} 5.1.1 <…> is unknown here"


@pytest.mark.parametrize("code", ["450", "451", "452"])
def test_a_temporarily_refused_recipient_is_tried_again(server, members, now, code):
    server.answers["ada@example.org"] = f"{code} try later"
    deliver_mail(now=now)
    assert states() == ["PENDING", "DELIVERED", "DELIVERED"]
    assert deliveries()[0].error == f"{code} try later"
    server.answers.clear()
    assert deliver_mail(now=timezone.now() + hours(1)) == 1
    assert states() == ["DELIVERED"] * 3


@pytest.mark.parametrize(("reply", "expected"), [("554 no", "DEAD"), ("451 later", "PENDING")])
def test_a_message_may_be_refused_too(server, members, now, reply, expected):
    server.to_data = reply
    deliver_mail(now=now)
    assert states() == [expected] * 3


def test_a_connection_that_breaks_once_is_reopened(server, members, now):
    server.answers["ada@example.org"] = "drop"
    deliver_mail(now=now)
    assert states() == ["PENDING", "DELIVERED", "DELIVERED"]
    assert server.connections == 2


def test_a_server_that_says_goodbye_is_called_again(server, members, now):
    server.answers["ada@example.org"] = "421 closing"
    deliver_mail(now=now)
    assert states() == ["PENDING", "DELIVERED", "DELIVERED"]


def test_a_connection_that_breaks_again_is_left_alone(server, members, now):
    server.answers = {"ada@example.org": "drop", "ben@example.org": "drop"}
    deliver_mail(now=now)
    assert states() == ["PENDING"] * 3
    assert server.connections == 2


def test_a_refused_sender_is_our_fault_not_the_readers(server, members, now):
    server.to_sender = "550 not from you"
    deliver_mail(now=now)
    assert states() == ["PENDING"] * 3
    server.to_sender = ""
    assert deliver_mail(now=timezone.now() + hours(72)) == 3
    assert states() == ["DELIVERED"] * 3


@pytest.mark.parametrize("trouble", ["nobody there", "no host", "says nothing", "wrong password"])
def test_when_the_server_is_down_nothing_is_lost_and_nothing_given_up(
    server, members, now, settings, trouble
):
    working = settings.MAILERS
    with silence() as mute:
        settings.MAILERS = {
            "nobody there": mailers(closed_port()),
            "no host": mailers(25, host="mail.invalid"),
            "says nothing": mailers(mute, timeout=0.2),
            "wrong password": mailers(server.port, timeout=5, username="mesto", password="wrong"),
        }[trouble]
        deliver_mail(now=now)
    assert states() == ["PENDING"] * 3
    assert {delivery.attempts for delivery in deliveries()} == {1}
    assert all(map(attrgetter("error"), deliveries()))
    assert server.messages == []
    settings.MAILERS = mailers(closed_port())
    later = timezone.now() + timedelta(hours=settings.DELIVERIES["give_up_hours"])
    deliver_mail(now=later)
    assert states() == ["PENDING"] * 3
    settings.MAILERS = working
    Endpoint.objects.update(rests_until=None)
    Delivery.objects.update(due_at=now)
    deliver_mail(now=now)
    assert server.recipients == ["ada@example.org", "ben@example.org", "cleo@example.org"]


def test_a_server_that_hangs_halfway_holds_nobody_up_for_long(server, members, now, settings):
    settings.MAILERS = mailers(server.port, timeout=5)
    server.answers["ada@example.org"] = "hang"
    deliver_mail(now=now)
    assert states() == ["PENDING", "DELIVERED", "DELIVERED"]


def test_what_is_not_tried_in_time_is_given_back(server, members, now, settings):
    settings.DELIVERIES = {**settings.DELIVERIES, "lease_seconds": 0}
    assert deliver_mail(now=now) == 1
    assert states() == ["DELIVERED", "PENDING", "PENDING"]
    assert [delivery.attempts for delivery in deliveries()] == [1, 0, 0]


def test_one_mail_that_cannot_be_written_stops_no_other(server, members, now, caplog):
    """A space whose zone this machine no longer knows, say."""
    Delivery.objects.filter(booking__member=members[0]).update(event=_broken_event(members[0]))
    deliver_mail(now=now)
    assert states() == ["PENDING", "DELIVERED", "DELIVERED"]
    assert "Traceback" in caplog.text


def _broken_event(member):
    event = member.bookings.get().events.get()
    event.data["place"] = None
    event.save()
    return event


@pytest.mark.parametrize("address", ["nobody", "a@" + "b" * 300, "a@b\r\nBcc: eve@example.org"])
def test_a_strange_address_stops_no_other(server, members, now, address):
    change(members[0], email=address[:250])
    deliver_mail(now=now)
    assert states() == ["DEAD", "DELIVERED", "DELIVERED"]


def test_the_same_mail_again_has_the_same_id(server, members, now):
    deliver_mail(now=now)
    Delivery.objects.update(state="PENDING", settled_at=None)
    deliver_mail(now=now)
    ids = [message["Message-ID"] for message in server.messages]
    assert ids[:3] == ids[3:]
    assert len(set(ids)) == 3


@pytest.mark.django_db(transaction=True)
def test_the_worker_carries_a_booking_to_the_mail_server(server, tverskaya, anna, soon, manage):
    OpeningHours.objects.update(opens_at="00:00", closes_at="00:00")
    Space.objects.update(reminder_hours=72)
    book(tverskaya.places.get(number=1), anna, soon - timedelta(days=4), soon)
    worker = manage(
        "worker",
        "--once",
        EMAIL_URL=f"smtp://127.0.0.1:{server.port}",
        SITE_URL="https://mesto.example",
    )
    _, log = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0, log
    confirmed, reminder = server.messages
    assert confirmed["Subject"].startswith("Desk 1 is yours: ")
    assert reminder["List-Unsubscribe"].startswith("<https://mesto.example/mail/unsubscribe/")
    assert states() == ["DELIVERED"] * 2


def test_by_default_mail_is_printed(members, now, settings, monkeypatch, capsys):
    monkeypatch.setenv("EMAIL_URL", "")
    fresh = runpy.run_path(str(settings.BASE_DIR / "config/settings.py"))
    settings.MAILERS = fresh["MAILERS"]
    assert deliver_mail(now=now) == 3
    assert "To: ada@example.org" in capsys.readouterr().out


def test_a_lease_starts_when_mail_is_claimed_however_long_the_links_took(
    clock, server, members, now, monkeypatch, settings
):
    settings.DELIVERIES = {**settings.DELIVERIES, "lease_seconds": 30}
    leases = []

    def slowly(**_kwargs):
        clock.passes(seconds=40)
        return 1

    def send(_post, _mail):
        leases.extend(Delivery.objects.pending().values_list("lease_expires_at", flat=True))
        return Delivered()

    monkeypatch.setattr(sending, "send_links", slowly)
    monkeypatch.setattr(Post, "send", send)
    deliver_mail(now=now)
    assert set(leases) == {now + timedelta(seconds=40 + 30)}
