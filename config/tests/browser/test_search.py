"""Searching on the board: results appear in place, and the URL always says what is shown."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from bookings.models import Booking
from bookings.tests.acts import book, hours
from config.tests.browser.person import DESKTOP, PHONE
from config.tests.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def searcher(person, space, alice, soon):
    """Alice, signed in, at her desk, where Loft is shown from 10 to 12."""
    return at_the_board(person(DESKTOP), space, alice, soon)


def at_the_board(someone, space, alice, soon):
    someone.sign_in(alice)
    someone.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00")
    return someone


def choose(someone, name, value):
    someone.page.locator(f"#id_{name}").select_option(value)


def expect_shown(someone, times):
    """The heading, the form and the URL agree."""
    starts, ends = times.split("–")
    expect(someone.page.locator("#found")).to_contain_text(times)
    expect(someone.page.locator("#id_from")).to_have_value(starts)
    expect(someone.page.locator("#id_to")).to_have_value(ends)
    someone.page.wait_for_url(
        lambda _: (someone.query["from"], someone.query["to"]) == (starts, ends)
    )


def from_a_replica(route):
    """Let an answer be what a site without a primary says."""
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "Data-As-Of": "2026-11-25T09:03:12Z"})


def test_an_answer_with_other_news_than_the_page_brings_a_whole_page(searcher):
    """Only whole pages say that nothing can be changed, and as of when they are right."""
    searcher.page.route("**/spaces/loft/*", from_a_replica)
    with searcher.page.expect_event("load"):
        choose(searcher, "from", "11:00")
    expect_shown(searcher, "11:00–13:00")


def test_a_choice_is_answered_in_place_and_announced(searcher):
    searcher.page.evaluate("window.stayed = true")
    searcher.page.locator("#id_from").focus()
    searcher.page.keyboard.press("ArrowDown")
    expect_shown(searcher, "11:00–13:00")  # a later start keeps the length
    expect(searcher.page.locator("#announcement")).to_contain_text("11:00–13:00")
    expect(searcher.page.locator("#id_from")).to_be_focused()
    assert searcher.page.evaluate("window.stayed")


def test_the_back_button_shows_what_was_shown_before(searcher):
    choose(searcher, "from", "14:00")
    expect_shown(searcher, "14:00–16:00")
    choose(searcher, "to", "18:00")
    expect_shown(searcher, "14:00–18:00")
    searcher.page.go_back()
    expect_shown(searcher, "14:00–16:00")
    searcher.page.go_back()
    expect_shown(searcher, "10:00–12:00")
    searcher.page.go_forward()
    expect_shown(searcher, "14:00–16:00")


def test_two_quick_choices_on_a_slow_line_both_count(searcher):
    """The answer to the first arrives just after the second was made."""
    answers = []
    searcher.page.route(
        re.compile("from="), lambda route: answers.append((route, route.fetch())), times=1
    )
    choose(searcher, "from", "13:00")
    wait_for(lambda: searcher.page.wait_for_timeout(20) or answers)
    choose(searcher, "to", "17:00")
    for route, answer in answers:
        route.fulfill(response=answer)
    expect_shown(searcher, "13:00–17:00")


def test_the_days_around_are_links(searcher, soon):
    searcher.press("#next-day")
    searcher.page.wait_for_url(lambda _: searcher.query["date"] == f"{soon + hours(24):%Y-%m-%d}")
    expect_shown(searcher, "10:00–12:00")
    searcher.press("#previous-day")
    searcher.page.wait_for_url(lambda _: searcher.query["date"] == f"{soon:%Y-%m-%d}")


def test_when_nothing_is_free_the_next_free_time_is_one_click_away(searcher, space, bob, soon):
    for desk in space.places.all():
        book(desk, bob, soon - hours(24), soon, length=3)
    searcher.page.reload()
    searcher.press('.offers a[href*="place="]')
    expect_shown(searcher, "13:00–15:00")
    expect(searcher.page.locator(".picked.place")).to_be_focused()


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_free_stretch_of_the_day_chooses_its_place(person, space, alice, bob, soon, device):
    book(space.places.get(number=2), bob, soon - hours(24), soon)
    someone = at_the_board(person(device), space, alice, soon)
    row = someone.page.get_by_role("row").filter(
        has=someone.page.get_by_role("rowheader", name="Desk 2")
    )
    expect(row.get_by_role("cell")).to_have_count(3)
    assert "bob" not in someone.page.content()
    free = row.get_by_role("link", name=re.compile("Desk 2, free 12:00–22:00"))
    free.scroll_into_view_if_needed()
    free.click()
    expect_shown(someone, "12:00–14:00")
    expect(someone.page.locator(".picked.place h3")).to_have_text("Desk 2")
    assert not Booking.objects.filter(member=alice).exists()


def test_two_clicks_on_book_book_once(searcher):
    searcher.page.locator(".offers .place form button").first.dblclick()
    searcher.expect_path("/bookings/.*booked=1")
    assert Booking.objects.count() == 1


def test_the_timeline_starts_at_the_chosen_time_and_keeps_the_names(person, space, alice, soon):
    someone = at_the_board(person(PHONE), space, alice, soon + hours(9))
    someone.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=19:00&to=21:00")
    timeline = someone.page.locator(".timeline")
    assert timeline.evaluate("box => box.scrollLeft") > 100
    box = timeline.bounding_box()
    name = someone.page.get_by_role("rowheader", name="Desk 1").bounding_box()
    assert name["x"] == pytest.approx(box["x"], abs=2)
    chosen = someone.page.locator(".marks .chosen").bounding_box()
    assert name["x"] + name["width"] <= chosen["x"] < box["x"] + box["width"]


def test_older_bookings_join_the_history_in_place(person, space, alice, soon):
    for n in range(31):
        at = soon - timedelta(days=40 - n)
        book(space.places.get(number=1), alice, at - hours(24), at)
    someone = at_the_board(person(PHONE), space, alice, soon)
    someone.open("/bookings/history/")
    expect(someone.page.locator(".row")).to_have_count(30)
    someone.press("#older a")
    expect(someone.page.locator(".row")).to_have_count(31)
    expect(someone.page.locator(".row a").last).to_be_focused()
    expect(someone.page.locator("#older")).to_have_count(0)
