"""The staff's pages about webhooks: add one, see how it is doing, test it, send again."""

import re
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.tests.acts import book
from config.tests.processes import PATIENCE
from notifications.factories import WebhookFactory
from notifications.models import Delivery, Endpoint
from notifications.tests.receiver import Answer
from notifications.tests.webhooks import deliver, verified
from notifications.webhooks import sending, services

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/staff/spaces/loft/webhooks/"


@pytest.fixture(autouse=True)
def local_addresses(settings):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": True}


@pytest.fixture(autouse=True)
def a_worker_of_its_own(monkeypatch):
    sender = sending.Sender()
    monkeypatch.setattr(sending, "_sender", sender)
    yield
    sender.finish(now=timezone.now())


@pytest.fixture
def browser(client, manager):
    client.force_login(manager)
    return client


def filled(**changes):
    return {
        "url": "http://127.0.0.1:9/",
        "kinds": ["CONFIRMED", "CANCELLED"],
        "request_key": str(uuid4()),
        **changes,
    }


def page_of(webhook, rest=""):
    return f"/staff/webhooks/{webhook.code}/{rest}"


def secret_in(answer):
    return re.search(r'value="(whsec_[^"]+)"', answer.text)[1]


@pytest.fixture
def dead(webhook, receiver, desk, alice, soon):
    """A delivery that was given up."""
    receiver.answers(Answer(404, b"<b>nobody</b>", {"X-Why": "gone"}))
    now = timezone.now()
    book(desk, alice, now, soon)
    deliver(now)
    return Delivery.objects.get(endpoint=webhook)


# --- Adding ---------------------------------------------------------------------------------------


def test_a_manager_adds_a_webhook_and_sees_its_secret_once(browser, space):
    answer = browser.post(LIST, filled())
    assert answer.status_code == 201
    webhook = Endpoint.objects.webhooks_of(space).get()
    assert (webhook.url, webhook.kinds) == ("http://127.0.0.1:9/", ["CONFIRMED", "CANCELLED"])
    assert secret_in(answer) == webhook.secret
    for path in (LIST, page_of(webhook), page_of(webhook, "secret/"), "/staff/spaces/webhooks/"):
        assert "whsec_" not in browser.get(path).text


def test_ticking_all_events_includes_future_ones(browser, space):
    shown = browser.get(LIST).context["form"]
    browser.post(LIST, filled(kinds=shown["kinds"].value()))
    assert Endpoint.objects.webhooks_of(space).get().kinds == []


def test_a_form_submitted_twice_adds_one(browser, space):
    data = filled()
    browser.post(LIST, data)
    answer = browser.post(LIST, data, follow=True)
    assert "already been added" in answer.text
    assert "whsec_" not in answer.text
    assert Endpoint.objects.webhooks_of(space).count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": ""}, "This field is required."),
        ({"url": "https://" + "a" * 600}, "at most 500"),
        ({"url": "ftp://example.com/"}, "not a plain address"),
        ({"url": "https://a@example.com/"}, "a login or an @"),
        ({"kinds": []}, "Choose at least one event."),
        ({"kinds": ["EXPLODED"]}, "EXPLODED is not one of"),
        ({"request_key": "x"}, "Please check these fields"),
    ],
)
def test_errors_are_reported_and_what_was_typed_is_kept(browser, space, changes, says):
    data = filled(**changes)
    answer = browser.post(LIST, data)
    assert answer.status_code == 422
    assert says in answer.text
    assert data["url"] in answer.text
    assert Endpoint.objects.webhooks_of(space).count() == 0


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://0x7f.1/", "https://[::ffff:7f00:1]/"]
)
def test_a_private_address_is_refused_with_the_reason(browser, space, settings, url):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": False}
    answer = browser.post(LIST, filled(url=url))
    assert answer.status_code == 422
    assert "leads into a private network (" in answer.text
    assert Endpoint.objects.webhooks_of(space).count() == 0


def test_a_space_has_a_maximum_number_of_webhooks(browser, space):
    WebhookFactory.create_batch(services.MOST, space=space)
    answer = browser.post(LIST, filled())
    assert answer.status_code == 422
    assert "This space has 20 webhooks." in answer.text


# --- Seeing ---------------------------------------------------------------------------------------


def test_the_space_shows_what_was_given_up(browser, dead):
    assert "1 given up" in browser.get(LIST).text
    assert "1 given up" in browser.get("/staff/spaces/webhooks/").text


def test_the_page_lists_deliveries_and_filters_by_state(browser, webhook, dead):
    services.ping(webhook, now=timezone.now())
    assert len(browser.get(page_of(webhook)).context["deliveries"]) == 2
    [(only, error)] = browser.get(page_of(webhook, "?state=DEAD")).context["deliveries"]
    assert (only, error) == (dead, "Answered 404.")
    assert "Nothing matches" in browser.get(page_of(webhook, "?state=SKIPPED")).text
    assert len(browser.get(page_of(webhook, "?state=x")).context["deliveries"]) == 2


def test_a_delivery_shows_request_answer_and_time(browser, dead, receiver):
    page = browser.get(f"/staff/deliveries/{dead.code}/").text
    [request] = receiver.received
    assert request.headers["webhook-id"] in page
    assert "webhook-signature" in page
    assert "&quot;type&quot;: &quot;booking.confirmed&quot;" in page
    assert "&lt;b&gt;nobody&lt;/b&gt;" in page
    assert "X-Why: gone" in page
    assert f"{dead.log.get().milliseconds} ms" in page


def test_a_refused_address_is_shown_as_such(browser, webhook, settings):
    """As when a name leads to a private address only after it was added."""
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": False}
    made = services.ping(webhook, now=timezone.now())
    deliver(timezone.now())
    for path in (page_of(webhook), f"/staff/deliveries/{made.code}/"):
        assert "Refused: this address leads into a private network (127.0.0.1)." in (
            browser.get(path).text
        )


def test_a_webhook_that_fails_says_since_when(browser, webhook, receiver, desk, alice):
    receiver.answers(Answer(500))
    services.ping(webhook, now=timezone.now())
    deliver(timezone.now())
    page = browser.get(page_of(webhook)).text
    assert "Failing since" in page
    assert "1 message is waiting." in page
    assert "Next try:" in page


def test_a_long_record_takes_no_more_queries(browser, webhook, dead, django_assert_max_num_queries):
    for _ in range(20):
        services.ping(webhook, now=timezone.now())
    with django_assert_max_num_queries(9):
        browser.get(page_of(webhook))


# --- Doing ----------------------------------------------------------------------------------------


def test_a_test_is_sent(browser, webhook, receiver):
    answer = browser.post(page_of(webhook, "ping/"), follow=True)
    assert "It is being sent." in answer.text
    deliver(timezone.now())
    [request] = receiver.received
    assert verified(request, webhook.secret)["type"] == "ping"


def test_it_is_sent_again(browser, dead, receiver):
    receiver.answers(Answer(200))
    answer = browser.post(f"/staff/deliveries/{dead.code}/resend/", follow=True)
    assert "It is being sent again." in answer.text
    again = browser.post(f"/staff/deliveries/{dead.code}/resend/", follow=True)
    assert "It is already on its way." in again.text
    deliver(timezone.now())
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    dead.refresh_from_db()
    assert dead.state == "DELIVERED"


def test_it_is_tried_now(browser, webhook, receiver):
    receiver.answers(Answer(503), Answer(200))
    waiting = services.ping(webhook, now=timezone.now())
    deliver(timezone.now())
    page = f"/staff/deliveries/{waiting.code}/"
    assert "Try now" in browser.get(page).text
    answer = browser.post(f"{page}resend/", follow=True)
    assert "It is being sent again." in answer.text
    assert "Try now" not in answer.text
    deliver(timezone.now())
    waiting.refresh_from_db()
    assert waiting.state == "DELIVERED"


def test_nothing_is_sent_while_it_is_off(browser, webhook, dead):
    browser.post(page_of(webhook, "switch/"), {"on": "0"})
    webhook.refresh_from_db()
    assert not webhook.is_active
    for path in (page_of(webhook, "ping/"), f"/staff/deliveries/{dead.code}/resend/"):
        assert "Switch it on first." in browser.post(path, follow=True).text
    browser.post(page_of(webhook, "switch/"), {"on": "1"})
    webhook.refresh_from_db()
    assert webhook.is_active


@pytest.mark.parametrize("on", ["", "2", "off"])
def test_a_switch_without_a_valid_value_switches_nothing(browser, webhook, on):
    assert browser.post(page_of(webhook, "switch/"), {"on": on}).status_code == 400
    webhook.refresh_from_db()
    assert webhook.is_active


def test_a_changed_address_is_the_one_that_is_called(browser, webhook, receiver):
    changed = {"url": f"{receiver.url}new", "kinds": ["MOVED"]}
    assert browser.post(page_of(webhook), changed).status_code == 302
    services.ping(Endpoint.objects.get(pk=webhook.pk), now=timezone.now())
    deliver(timezone.now())
    assert receiver.received[0].path == "/new"


def test_a_change_to_a_private_address_is_refused(browser, webhook, settings):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": False}
    answer = browser.post(page_of(webhook), {"url": "https://169.254.169.254/", "kinds": ["MOVED"]})
    assert answer.status_code == 422
    assert "169.254.169.254" in answer.text
    webhook.refresh_from_db()
    assert "169.254" not in webhook.url


def test_a_new_secret_is_shown_once(browser, webhook):
    old = webhook.secret
    asked = browser.get(page_of(webhook, "secret/"))
    seen = {"seen": asked.context["seen"]}
    new = secret_in(browser.post(page_of(webhook, "secret/"), seen))
    webhook.refresh_from_db()
    assert (webhook.secret, webhook.previous_secret) == (new, old)
    again = browser.post(page_of(webhook, "secret/"), seen, follow=True)
    assert "was changed meanwhile" in again.text
    webhook.refresh_from_db()
    assert (webhook.secret, webhook.previous_secret) == (new, old)


def test_deleting_asks_first(browser, webhook, dead):
    assert "Delete this webhook?" in browser.get(page_of(webhook, "remove/")).text
    assert Endpoint.objects.filter(pk=webhook.pk).exists()
    browser.post(page_of(webhook, "remove/"))
    assert not Endpoint.objects.filter(pk=webhook.pk).exists()
    assert not Delivery.objects.filter(pk=dead.pk).exists()


# --- Who may --------------------------------------------------------------------------------------


def paths(webhook, delivery):
    return [
        *(LIST, page_of(webhook)),
        *(page_of(webhook, f"{verb}/") for verb in ("ping", "switch", "secret", "remove")),
        *(f"/staff/deliveries/{delivery.code}/", f"/staff/deliveries/{delivery.code}/resend/"),
    ]


def tried(client, webhook, delivery):
    """Return the statuses of all pages, on GET and POST."""
    return {
        getattr(client, method)(path).status_code
        for path in paths(webhook, delivery)
        for method in ("get", "post")
    }


def test_a_host_may_not(client, webhook, dead, host):
    client.force_login(host)
    assert tried(client, webhook, dead) == {403, 405}
    assert client.get("/staff/spaces/webhooks/").status_code == 200
    assert "Loft" not in client.get("/staff/spaces/webhooks/").text


def test_a_superuser_sees_every_space(client, webhook):
    client.force_login(UserFactory.create(is_superuser=True))
    assert "Loft" in client.get("/staff/spaces/webhooks/").text
    assert client.get(page_of(webhook)).status_code == 200


def test_the_spaces_admin_page_links_to_it(browser, space):
    page = browser.get(f"/admin/spaces/space/{space.pk}/change/").text
    assert f'href="{LIST}"' in page
