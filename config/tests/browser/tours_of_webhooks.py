"""Every page about webhooks, both full and empty."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.urls import reverse

from accounts.models import User
from bookings.tests.acts import book, hours
from config.tests.browser.person import Person
from notifications import relay
from notifications.factories import WebhookFactory
from notifications.models import Attempt, Delivery, Endpoint, RefusedRequest
from notifications.outcomes import Again, Delivered, Outcome, Refused
from spaces.models import Space


def of_webhooks(manager: Person, alice: User, space: Space, soon: datetime) -> Iterator[str]:
    """None at first, then one of each kind, on their pages and in the admin."""
    theirs = f"/staff/spaces/{space.slug}/webhooks/"
    for name, path in {"staff": "/staff/spaces/webhooks/", "no webhooks": theirs}.items():
        manager.open(path)
        yield name
    manager.fill(url="https://127.0.0.1/")
    manager.submit("main form.card")
    manager.page.locator("main [role=alert]").wait_for()
    yield "webhooks after a mistake"
    manager.fill(url="https://93.184.215.14/1")
    manager.submit("main form.card")
    manager.page.locator(".new-token").wait_for()
    yield "a new webhook"
    new = Endpoint.objects.webhooks_of(space).get()
    failing, off = (
        WebhookFactory.create(space=space, url=f"https://93.184.215.14/{n}") for n in (2, 3)
    )
    told = _told(failing, alice, space, soon)
    Endpoint.objects.filter(pk=off.pk).update(is_active=False, failing_since=soon)
    for name, path in {
        "staff with webhooks": "/staff/spaces/webhooks/",
        "webhooks": theirs,
        "webhook with nothing sent": f"/staff/webhooks/{new.code}/",
        "webhook": f"/staff/webhooks/{failing.code}/",
        "webhook with nothing chosen": f"/staff/webhooks/{failing.code}/?state=SKIPPED",
        "webhook that is off": f"/staff/webhooks/{off.code}/",
        "webhook: new secret": f"/staff/webhooks/{new.code}/secret/",
        "webhook: delete": f"/staff/webhooks/{new.code}/remove/",
        **{f"delivery {n}": f"/staff/deliveries/{each.code}/" for n, each in enumerate(told)},
    }.items():
        manager.open(path)
        yield name
    manager.open(f"/staff/webhooks/{new.code}/secret/")
    manager.submit("main form")
    manager.page.locator(".new-token").wait_for()
    yield "a new secret of a webhook"
    yield from _webhooks_in_the_admin(manager, failing, told[0], soon)


def _told(webhook: Endpoint, alice: User, space: Space, soon: datetime) -> list[Delivery]:
    """Make deliveries in every state: delivered, given up, waiting for the next try, not tried."""
    desk, now = space.places.get(number=1), soon - timedelta(days=2)
    for day in range(3):
        book(desk, alice, now, soon + hours(24 * day))
    relay.fan_out(now=now)
    claimed = relay.claim(webhook, limit=3, now=now)
    ends: list[tuple[Delivery, Outcome]] = [
        (claimed[0], Delivered(attempt=_attempt(claimed[0], now, status=200))),
        (claimed[1], Refused("Answered 404.", attempt=_attempt(claimed[1], now, status=404))),
        (claimed[2], Again("Answered 503.", attempt=_attempt(claimed[2], now, status=503))),
    ]
    relay.settle(ends, now=now)
    relay.settle([(claimed[2], Again("Answered 503."))], now=now)
    Endpoint.objects.filter(pk=webhook.pk).update(failing_since=now)
    ping = Delivery.objects.create(
        endpoint=webhook, purpose="PING", created_at=now, due_at=now, asked_at=now
    )
    return [*claimed, ping]


def _attempt(delivery: Delivery, at: datetime, *, status: int) -> Attempt:
    return Attempt(
        delivery=delivery,
        at=at,
        milliseconds=120,
        status=status,
        request_headers={"webhook-id": str(delivery.code), "webhook-signature": "v1," + "a" * 90},
        response_headers={"Content-Type": "text/html"},
        response_body="<html>" * 40,
        error="" if status == 200 else f"Answered {status}.",
    )


def _webhooks_in_the_admin(
    boss: Person, webhook: Endpoint, delivery: Delivery, soon: datetime
) -> Iterator[str]:
    request = RefusedRequest.objects.create(
        topic="1", partition=0, offset=7, value="{", reason="Это не JSON.", received_at=soon
    )
    for name, (view, args) in {
        "admin: endpoints": ("endpoint_changelist", []),
        "admin: endpoint": ("endpoint_change", [webhook.pk]),
        "admin: deliveries": ("delivery_changelist", []),
        "admin: delivery": ("delivery_change", [delivery.pk]),
        "admin: refused requests": ("refusedrequest_changelist", []),
        "admin: refused request": ("refusedrequest_change", [request.pk]),
        "admin: new webhook": ("endpoint_add", []),
    }.items():
        boss.open(reverse(f"admin:notifications_{view}", args=args))
        yield name
    boss.page.locator("#content-main form").evaluate("form => form.noValidate = true")
    boss.fill(url="https://127.0.0.1/")
    boss.submit(".submit-row")
    boss.page.locator(".errornote").wait_for()
    yield "admin: new webhook after mistakes"
    boss.page.locator("[name=space]").select_option(index=1)
    boss.fill(url="https://93.184.215.14/1")
    boss.submit(".submit-row")
    boss.page.locator(".made").wait_for()
    yield "admin: a new webhook"
