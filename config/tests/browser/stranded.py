"""A walk to the questions about bookings that a change of set-up would strand."""

from collections.abc import Iterator

from django.urls import reverse

from config.tests.browser.person import Person
from spaces.models import Place


def of_the_set_up(boss: Person, desk: Place) -> Iterator[str]:
    """What is asked before bookings are left behind by a change."""
    boss.open(reverse("admin:spaces_place_change", args=[desk.pk]))
    boss.page.locator("[name=is_bookable]").uncheck()
    boss.page.locator("[name=_save]").click()
    boss.page.locator("button[value=cancel]").click()
    boss.page.locator(".stranded .errorlist").wait_for()
    yield "admin: bookings that no longer fit, no reason given"
    boss.open(reverse("admin:spaces_space_change", args=[desk.space_id]))
    boss.page.locator("[name=time_zone]").select_option("Asia/Tokyo")
    boss.page.locator("[name=_save]").click()
    boss.page.locator("button[value=wall]").wait_for()
    yield "admin: bookings and another time zone"
