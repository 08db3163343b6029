"""The API's documentation: it can be read, and what it shows can be tried out."""

import json
import re
from datetime import timedelta

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from accounts import tokens
from accounts.models import ApiToken
from bookings.models import Booking
from config.tests.browser.inspection import NARROW, WIDE, misfits
from config.tests.browser.person import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Swagger UI's own: buttons inside buttons, fields without a label, a skipped heading, and text
# that only a mouse scrolls.
OF_SWAGGER = [
    "nested-interactive",
    "label",
    "select-name",
    "heading-order",
    "scrollable-region-focusable",
]
FIND_VIOLATIONS = """
async (known) => {
  document.getAnimations().forEach((animation) => animation.finish());
  const options = {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}};
  const isKnown = (id, target) =>
    known.includes(id) && document.querySelector(target).closest("#swagger-ui");
  return (await axe.run(options)).violations.flatMap(({id, nodes}) =>
    nodes.filter(({target}) => !isKnown(id, target[0])).map(({html}) => `${id}: ${html}`));
}
"""


def open_operation(person, name):
    """Open the page and unfold one operation, ready to be tried out."""
    person.open("/api/v1/docs")
    operation = person.page.locator(f"[id$=-{name}]")
    operation.locator(".opblock-summary-control").click()
    operation.locator(".try-out__btn").click()
    return operation


def execute(operation):
    """Press the button; return the answer's status and body."""
    operation.locator(".execute").click()
    answer = operation.locator(".live-responses-table")
    body = answer.locator(".highlight-code pre").first
    expect(body).to_be_visible()
    return answer.locator("tbody .response-col_status").inner_text().strip(), body.inner_text()


def test_a_booking_is_tried_out_with_the_session_in_the_members_colours(person, alice, desk, soon):
    alice.theme = "DARK"
    alice.save()
    member = person()
    member.sign_in(alice)
    operation = open_operation(member, "createBooking")
    assert "dark-mode" in member.page.locator("html").get_attribute("class")
    body = {"place": desk.code, "starts_at": soon, "ends_at": soon + timedelta(hours=2)}
    operation.locator("textarea").fill(json.dumps(body, default=str))
    status, answer = execute(operation)
    assert status == "201"
    assert json.loads(answer)["code"] == str(Booking.objects.get(member=alice).code)


def test_a_list_is_tried_out_with_a_token(person, alice, now):
    _token, text = tokens.issue(
        alice, name="Docs", scope=ApiToken.Scope.READ, expires_at=None, now=now
    )
    visitor = person(PHONE)
    visitor.open("/api/v1/docs")
    visitor.press(".btn.authorize")
    visitor.page.locator(".auth-container input").first.fill(text)
    visitor.press(".auth-container .modal-btn.authorize")
    visitor.press(".auth-container .btn-done")
    operation = visitor.page.locator("[id$=-listBookings]")
    operation.locator(".opblock-summary-control").click()
    operation.locator(".try-out__btn").click()
    status, answer = execute(operation)
    assert (status, json.loads(answer)) == ("200", {"items": [], "next_cursor": None})


def test_everybody_can_read_it(person):
    visitor = person()
    open_operation(visitor, "createBooking")
    visitor.page.evaluate(AXE_SCRIPT)
    for size, scheme in ((WIDE, "light"), (NARROW, "dark")):
        visitor.page.set_viewport_size(size)
        visitor.page.emulate_media(color_scheme=scheme)
        dark = re.compile("dark-mode" if scheme == "dark" else "^$")
        expect(visitor.page.locator("html")).to_have_class(dark)
        assert visitor.page.evaluate(FIND_VIOLATIONS, OF_SWAGGER) == []
        assert [wrong for wrong in misfits(visitor.page, size) if "sideways" in wrong] == []
