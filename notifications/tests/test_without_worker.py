"""Without a worker, pages and API do what they always do, at the same cost."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.tests.programs import issue
from bookings.models import BookingEvent
from notifications.factories import WebhookFactory
from notifications.models import Delivery
from notifications.relay import fan_out

pytestmark = pytest.mark.django_db

NOWHERE = "127.0.0.1:9"  # the discard port: nobody listens


def day_of(soon, hour):
    return f"{soon:%Y-%m-%d}T{hour:02}:00"


@pytest.fixture
def journey(client, alice, space, desk, soon):
    """A day of a member and a program: the answers, and each one's statements."""

    def walk():
        client.force_login(alice)
        program = Client(headers={"Authorization": f"Bearer {issue(alice)[1]}"})
        place = {"place": str(desk.code), "party_size": 1}
        answers = []

        def ask(call, *arguments, **options):
            with CaptureQueriesContext(connection) as statements:
                answer = call(*arguments, **options)
            answers.append((answer.status_code, len(statements)))
            return answer

        times = {"starts_at": day_of(soon, 10), "ends_at": day_of(soon, 12)}
        page = ask(client.post, "/bookings/", {**place, **times, "request_key": "1"})
        path = page["Location"].partition("?")[0]
        ask(client.get, path)
        later = {"starts_at": day_of(soon, 12), "ends_at": day_of(soon, 14)}
        ask(client.post, f"{path}reschedule/", {**place, **later})
        ask(client.post, f"{path}cancel/")
        instants = {name: f"{value}:00Z" for name, value in times.items()}
        body = {**place, **instants}
        made = ask(program.post, "/api/v1/bookings", body, "application/json")
        ask(program.delete, f"/api/v1/bookings/{made.json()['code']}")
        prefer = {"Prefer": "respond-async"}
        ask(program.post, "/api/v1/bookings", body, "application/json", headers=prefer)
        ask(program.get, "/api/v1/events")
        happened = list(BookingEvent.objects.order_by("pk").values_list("kind", flat=True))
        return answers, happened

    return walk


def forget_everything():
    for name in ("BookedSlot", "BookingEvent", "Booking"):
        apps.get_model("bookings", name).objects.all().delete()


def test_listeners_change_nothing_for_people_who_book(journey, space, settings):
    journey()  # the first time takes more queries
    forget_everything()
    quiet = journey()
    forget_everything()
    settings.KAFKA = {**settings.KAFKA, "bootstrap_servers": NOWHERE}
    for _ in range(3):
        WebhookFactory.create(space=space, url=f"http://{NOWHERE}/")
    assert journey() == quiet
    assert not Delivery.objects.exists()  # not even recorded: the log is enough


def test_events_wait_for_the_first_worker(journey, space):
    _, happened = journey()
    WebhookFactory.create(space=space, is_active=True)
    call_command("check_bookings")
    fan_out(now=BookingEvent.objects.latest("at").at)
    told = Delivery.objects.filter(endpoint__channel="WEBHOOK").order_by("position")
    assert list(told.values_list("event__kind", flat=True)) == happened
