"""Webhooks, deliveries and refused requests in Django admin, and who sees which."""

import re
from uuid import uuid4

import pytest

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.tests.acts import book
from config.tests.processes import PATIENCE
from notifications import relay
from notifications.factories import WebhookFactory
from notifications.models import Delivery, Endpoint, RefusedRequest
from notifications.outcomes import Refused
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ENDPOINTS = "/admin/notifications/endpoint/"
DELIVERIES = "/admin/notifications/delivery/"
REQUESTS = "/admin/notifications/refusedrequest/"


@pytest.fixture(autouse=True)
def local_addresses(settings):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": True}


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


@pytest.fixture
def dead(webhook, desk, alice, now):
    book(desk, alice, now)
    relay.fan_out(now=now)
    claimed = relay.claim(webhook, limit=1, now=now)
    relay.settle([(each, Refused("Answered 404.")) for each in claimed], now=now)
    return Delivery.objects.get(endpoint=webhook)


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


@pytest.fixture
def refused(now):
    return RefusedRequest.objects.create(
        topic="requests", partition=0, offset=7, value="{<b>", reason="No JSON.", received_at=now
    )


def listed(client, path):
    return list(client.get(path).context["cl"].result_list)


def filled(place, **changes):
    key = str(uuid4())
    url = "http://127.0.0.1:9/"
    return {"space": place.pk, "url": url, "kinds": ["MOVED"], "request_key": key, **changes}


def test_a_manager_adds_a_webhook_and_sees_its_secret_once(client, manager, space):
    client.force_login(manager)
    answer = client.post(f"{ENDPOINTS}add/", filled(space))
    webhook = Endpoint.objects.webhooks_of(space).get()
    assert answer.status_code == 201
    assert re.search(r'value="(whsec_[^"]+)"', answer.text)[1] == webhook.secret
    assert (webhook.url, webhook.kinds) == ("http://127.0.0.1:9/", ["MOVED"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "https://127.0.0.1@example.com/"}, "a login or an @"),
        ({"kinds": []}, "Choose at least one event."),
        ({"space": ""}, "This field is required."),
    ],
)
def test_errors_are_reported(client, manager, space, changes, says):
    client.force_login(manager)
    answer = client.post(f"{ENDPOINTS}add/", filled(space, **changes))
    assert answer.status_code == 422
    assert says in answer.text
    assert Endpoint.objects.count() == 0


def test_a_private_address_is_refused(client, manager, space, settings):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": False}
    client.force_login(manager)
    answer = client.post(f"{ENDPOINTS}add/", filled(space, url="https://0177.1/"))
    assert answer.status_code == 422
    assert "leads into a private network (127.0.0.1)" in answer.text


def test_a_manager_adds_to_spaces_of_their_own_only(client, manager):
    other = open_space(slug="other", name="Other")
    client.force_login(manager)
    assert client.post(f"{ENDPOINTS}add/", filled(other)).status_code == 422
    assert Endpoint.objects.count() == 0


def test_a_host_can_look_but_not_add(client, host, webhook, dead, space):
    client.force_login(host)
    assert listed(client, ENDPOINTS) == [webhook]
    assert listed(client, DELIVERIES) == [dead]
    assert client.post(f"{ENDPOINTS}add/", filled(space)).status_code == 403
    client.post(DELIVERIES, {"action": "send_again", "_selected_action": dead.pk})
    client.post(ENDPOINTS, {"action": "switch_off", "_selected_action": webhook.pk})
    dead.refresh_from_db()
    webhook.refresh_from_db()
    assert (dead.state, webhook.is_active) == ("DEAD", True)


def test_the_secret_is_nowhere(client, boss, webhook, dead):
    client.force_login(boss)
    for path in (ENDPOINTS, f"{ENDPOINTS}{webhook.pk}/change/", f"{DELIVERIES}{dead.pk}/change/"):
        page = client.get(path)
        assert page.status_code == 200
        assert webhook.secret not in page.text


def test_the_staff_of_another_space_see_nothing(client, webhook, dead):
    client.force_login(StaffRoleFactory.create(role="MANAGER").user)
    assert listed(client, ENDPOINTS) == listed(client, DELIVERIES) == []
    for path in (f"{ENDPOINTS}{webhook.pk}/change/", f"{DELIVERIES}{dead.pk}/change/"):
        assert client.get(path).status_code == 302
    client.post(DELIVERIES, {"action": "send_again", "_selected_action": dead.pk})
    dead.refresh_from_db()
    assert dead.state == "DEAD"


def test_superusers_see_mail_too(client, boss, manager, webhook, dead):
    client.force_login(boss)
    assert {found.channel for found in listed(client, ENDPOINTS)} == {"MAIL", "WEBHOOK"}
    assert len(listed(client, DELIVERIES)) == 2
    assert listed(client, f"{DELIVERIES}?channel=WEBHOOK") == [dead]
    client.force_login(manager)
    assert listed(client, DELIVERIES) == [dead]


def test_times_are_in_the_spaces_zone_for_every_channel(client, boss, webhook, dead):
    client.force_login(boss)
    page = client.get(DELIVERIES).content.decode()
    assert len(set(re.findall(r"field-queued[^>]*>([^<]+)<", page))) == 1


def test_read_only_pages_are_titled_after_their_content(client, boss, webhook, dead):
    client.force_login(boss)
    assert client.get(DELIVERIES).context["title"] == "Deliveries"
    assert client.get(f"{DELIVERIES}{dead.pk}/change/").context["title"] == "Delivery"


def test_deliveries_are_found_by_state_and_endpoint(client, manager, webhook, dead):
    client.force_login(manager)
    assert listed(client, f"{DELIVERIES}?state=DEAD&endpoint={webhook.code}") == [dead]
    assert listed(client, f"{DELIVERIES}?state=DELIVERED") == []
    assert listed(client, f"{DELIVERIES}?endpoint={uuid4()}") == []


@pytest.mark.django_db(transaction=True)
def test_given_up_deliveries_can_be_sent_again(client, manager, dead):
    client.force_login(manager)
    data = {"action": "send_again", "_selected_action": dead.pk}
    answer = client.post(DELIVERIES, data, follow=True)
    assert "1 delivery is being sent again." in answer.text
    dead.refresh_from_db()
    assert dead.state == "PENDING"


def test_nothing_is_sent_again_to_a_webhook_that_is_off(client, manager, webhook, dead):
    client.force_login(manager)
    client.post(ENDPOINTS, {"action": "switch_off", "_selected_action": webhook.pk})
    data = {"action": "send_again", "_selected_action": dead.pk}
    answer = client.post(DELIVERIES, data, follow=True)
    assert "1 was left out: its webhook is off." in answer.text
    dead.refresh_from_db()
    assert dead.state == "DEAD"


def test_nobody_can_change_deliveries(client, boss, webhook, dead):
    client.force_login(boss)
    assert client.get(f"{DELIVERIES}add/").status_code == 403
    client.post(f"{DELIVERIES}{dead.pk}/change/", {"state": "DELIVERED"})
    client.post(f"{DELIVERIES}{dead.pk}/delete/", {"post": "yes"})
    dead.refresh_from_db()
    assert dead.state == "DEAD"


def test_a_long_list_takes_no_more_queries(
    client, manager, webhook, dead, now, django_assert_max_num_queries
):
    Delivery.objects.bulk_create(
        Delivery(endpoint=webhook, purpose="PING", created_at=now, due_at=now, asked_at=now)
        for _ in range(40)
    )
    client.force_login(manager)
    with django_assert_max_num_queries(10):
        assert len(listed(client, DELIVERIES)) == 41


def test_refused_requests_are_for_superusers(client, boss, manager, refused):
    client.force_login(manager)
    assert client.get(REQUESTS).status_code == 403
    client.force_login(boss)
    page = client.get(REQUESTS).text
    assert "No JSON." in page
    assert "{&lt;b&gt;" in page
    assert client.get(f"{REQUESTS}{refused.pk}/change/").status_code == 200
    assert client.get(f"{REQUESTS}add/").status_code == 403
