"""Every page on which the staff run their day and set a space up, and every page of a guest."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import URLPattern, URLResolver, reverse

from accounts.models import User
from bookings.deciding import services, visits, waiting_links
from bookings.finding import signed
from bookings.models import Booking
from bookings.staff import urls
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.tests.door import add, told
from config.tests.browser.person import Person
from config.tests.browser.tours import board
from spaces.factories import PolicyFactory
from spaces.models import Space

#: A number of its own, for the guests' card.
NUMBER = "+39 02 1234567"


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, set[str]]]:
    """Yield the name of each page and what its address takes."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name, set(pattern.pattern.converters)


def of_one_space() -> list[str]:
    """Return what there is once for each space, found in the URLconf: what comes later too.

    But for files, which a browser saves.
    """
    found = [name for name, takes in names(urls.urlpatterns) if takes == {"slug"}]
    return [name for name in found if not name.endswith("_csv")]


def of_the_house(
    manager: Person, alice: User, host: User, space: Space, soon: datetime
) -> Iterator[str]:
    """Full, but for the first page, the rules, the holidays and the screens."""
    slug, day = space.slug, f"?date={soon:%Y-%m-%d}"
    manager.open(reverse("staff_day", args=[slug]))
    yield "an empty day"
    visit, cancelled = _crowd(space, alice, host, soon)
    assert visit.guest is not None
    Space.objects.update(country="RU")
    for name in of_one_space():
        manager.open(reverse(name, args=[slug]))
        is_whole = manager.page.locator("html[lang]").count()
        if is_whole and manager.status != 405:  # neither a part of a page nor only posted to
            yield name
    page = f"/staff/{slug}"
    one = f"{page}/bookings/{visit.code}/"
    for name, path in {
        "a full day": f"{page}/{day}",
        "found": f"{page}/?q=7",
        "nothing found": f"{page}/?q=щщщ",
        "a timeline": f"{page}/timeline/{day}",
        "a walk-in for too many": f"{page}/walk-in/?people=50",
        "free places for a call": f"{page}/phone/{day}&from=15:00&party=2",
        "a call when nothing is free": f"{page}/phone/{day}&from=3:00&party=50",
        "a booking": one,
        "a cancelled booking": f"{page}/bookings/{cancelled.code}/",
        "cancelling a guest's booking": f"{one}cancel/",
        "guests found": f"{page}/guests/?q=39",
        "nobody found": f"{page}/guests/?q=щщщ",
        "a guest": f"{page}/guests/{visit.guest.code}/",
        "forgetting a guest": f"{page}/guests/{visit.guest.code}/erase/",
        "numbers of a month": f"{page}/numbers/?from={soon - timedelta(days=40):%Y-%m-%d}"
        f"&to={soon:%Y-%m-%d}",
        "numbers after a mistake": f"{page}/numbers/?from=x",
        "a rule": f"{page}/rules/0/",
        "setting up": "/staff/setup/",
    }.items():
        manager.open(path)
        if manager.status != 403:  # only a superuser may set up
            yield name
    yield from _after_mistakes(manager, page, one, space)
    yield from _set_up(manager, page, space)


def _crowd(space: Space, alice: User, host: User, soon: datetime) -> tuple[Booking, Booking]:
    """Book for guests and members, now and long ago; return a guest's visit and a cancelled one."""
    desk, other, third = space.places.order_by("number")[:3]
    before = soon - timedelta(days=2)
    said = {"by": host, "guest_name": "Анна Ёлкина", "guest_contact": NUMBER}
    visit = book(desk, None, before, soon, **said, note="Орехи")
    book(other, None, before, soon + hours(1), **said)
    book(other, alice, before, soon + hours(4))
    cancelled = book(third, None, before, soon, **said)
    services.cancel(cancelled, by=host, now=before, reason="Потоп")
    now = datetime.now(UTC)
    add(space, "Анна Ёлкина", phone=NUMBER, party_size=1, by=host, now=now)
    add(space, "Княгиня Пожарская-Трубецкая", party_size=99, by=host, now=now)
    late = {"quoted_minutes": 5, "party_size": 1}
    add(space, "Олег", by=host, now=now - timedelta(minutes=30), **late)
    for n in range(6):
        at = soon - timedelta(days=30 - n)
        came = book(desk, alice, at - hours(24), at)
        if n % 2:
            visits.no_show(came, by=host, now=at + hours(1))
    return visit, cancelled


def _after_mistakes(manager: Person, page: str, one: str, space: Space) -> Iterator[str]:
    """Pages that say what is wrong with a form, and what is free instead."""
    manager.open(one)
    manager.page.locator("main [name=place]").select_option(str(space.places.get(number=2).code))
    manager.submit("main form.edit")
    assert manager.status == 409
    yield "a move that is in the way of another"
    manager.fill(starts="25:77")
    manager.submit("main form.edit")
    yield "a booking after a mistake"
    manager.open(f"{one}cancel/")
    manager.page.locator("main form").evaluate("form => form.noValidate = true")
    manager.submit("main form")
    yield "cancelling without a reason"
    manager.open(f"{page}/phone/")
    manager.press("main .primary")
    manager.page.locator("main [role=alert]").wait_for()
    yield "a call from nobody"
    manager.open(f"{page}/no-shows/")
    manager.press("main .no-shows summary")
    manager.page.locator("main form").first.evaluate("form => form.noValidate = true")
    manager.submit("main form")
    yield "forgiving without a reason"


def _set_up(manager: Person, page: str, space: Space) -> Iterator[str]:
    """Pages between a form and its end: whom a rule hits, what an invitation or a screen became."""
    for name, fields in {
        "whom a rule hits": {"max_minutes": "60", "max_days_ahead": "1"},
        "a rule after a mistake": {"max_minutes": "?"},
    }.items():
        manager.open(f"{page}/rules/0/")
        manager.fill(**fields)
        manager.submit("main form")
        yield name
    PolicyFactory.create(space=space, max_minutes=240, max_days_ahead=30, max_upcoming=3)
    for name, path in {"rules": "rules", "changing a rule": "rules/1"}.items():
        manager.open(f"{page}/{path}/")
        if manager.status == 200:
            yield name
    manager.open(f"{page}/people/")
    manager.fill(email="nobody@example.org")
    manager.submit("main form.card")
    yield "somebody is invited"
    manager.open(f"{page}/doors/")
    manager.fill(name="Дверь")
    manager.submit("main form.card")
    yield "a new screen"
    manager.press('main a[href$="/revoke/"]')
    manager.page.locator(".ask").wait_for()
    yield "revoking a screen"


def of_a_guest(visitor: Person, space: Space, soon: datetime) -> Iterator[str]:
    """From the board to a booking and its link, moved, cancelled; and checking in."""
    Space.objects.update(guests_may_book=True)
    visitor.open(board(space, soon))
    visitor.press('.offers .place a[href*="/guest/"]')
    visitor.page.locator("main form [name=name]").wait_for()
    yield "booking without an account"
    visitor.page.locator("main form").evaluate("form => form.noValidate = true")
    visitor.submit()
    assert visitor.status == 422
    yield "booking without an account, after a mistake"
    visitor.fill(name="Анна", email="anna@example.org")
    visitor.submit()
    visitor.expect_path("/g/")
    link = visitor.path
    yield "a guest's booking"
    visitor.open(f"{link}move/")
    yield "moving by the link"
    visitor.fill(**{"from": "3:00", "to": "4:00"})
    visitor.submit("main form.card")
    assert visitor.status == 422
    yield "a move by the link that is refused"
    visitor.open(f"{link}cancel/")
    yield "cancelling by the link"
    visitor.submit("main")
    visitor.expect_path(link)
    yield "cancelled by the link"
    visitor.open("/g/nothing/")
    assert visitor.status == 404
    yield "an old link of a guest"


def of_who_waits(visitor: Person, always: Space, boss: User) -> Iterator[str]:
    """The page of a party at the door: waiting, told, coming, gone. `always` never closes."""
    now = datetime.now(UTC)
    table = always.places.order_by("-number")[0]
    first = add(always, "Анна", party_size=1, quoted_minutes=25, by=boss, now=now)
    visitor.open(f"/w/{waiting_links.token_of(first)}/")
    yield "waiting at the door"
    party = told(table, "Борис", party_size=1, by=boss, now=now)
    page = f"/w/{waiting_links.token_of(party)}/"
    visitor.open(page)
    yield "a table is ready"
    visitor.submit('main form[action$="/yes/"]')
    visitor.expect_path(page)
    yield "coming"
    visitor.submit('main form[action$="/no/"]')
    visitor.expect_path(page)
    yield "off the list"


def of_who_arrives(visitor: Person, always: Space, alice: User) -> Iterator[str]:
    """Checking in by the link in a reminder and by a place's code. `always` never closes."""
    PolicyFactory.create(space=always, check_in_opens_minutes=60, release_after_minutes=90)
    desk, other = always.places.order_by("number")[:2]
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    now = book(desk, alice, hour - hours(2), hour)
    later = book(other, alice, hour - hours(2), hour + hours(4))
    for name, booking in {"too early to check in": later, "checking in": now}.items():
        visitor.open(_path(signed.check_in_url(booking)))
        yield name
    visitor.submit("main")
    now.refresh_from_db()
    assert now.state == State.CHECKED_IN
    yield "checked in"
    visitor.sign_in(alice)
    for name, place in {"at a place's code": desk, "at another's": other}.items():
        visitor.open(_path(signed.place_url(place)))
        yield name
    visitor.open(now.get_absolute_url())
    yield "a booking of who is here"


def _path(url: str) -> str:
    return url.removeprefix(settings.SITE_URL)
