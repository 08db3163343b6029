"""Every page there is, both full and empty: each tour yields what it shows."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.urls import reverse

from accounts import emails, passwords
from accounts.models import User
from accounts.services import change
from accounts.tests.programs import issue
from bookings.deciding import services
from bookings.tests.acts import book, hours, move
from config.tests.browser import stranded
from config.tests.browser.person import Person
from notifications import preferences
from spaces.factories import ClosureFactory, PolicyFactory
from spaces.models import Space


def board(space: Space, day: datetime, query: str = "") -> str:
    return f"{space.get_absolute_url()}?date={day:%Y-%m-%d}&from=10:00&to=12:00{query}"


def of_a_visitor(visitor: Person, space: Space, busy: Space, soon: datetime) -> Iterator[str]:
    """`busy` has nothing free from 10 to 12."""
    desk = space.places.get(number=1)
    for name, path in {
        "home": "/",
        "board": space.get_absolute_url(),
        "board with a place picked": board(space, soon, f"&place={desk.code}"),
        "board with nothing free": board(busy, soon),
        "board for too many people": board(space, soon, "&party=50"),
        "board of a day that is over": board(space, soon - timedelta(days=9)),
        "board after bad input": board(space, soon, "&party=0&feature=x").replace("10:", "99:"),
        "sign-in": "/accounts/login/",
        "sign-up": "/accounts/register/",
        "forgotten password": "/accounts/forgotten/",
        "a link that was used": "/accounts/forgotten/1-2-3/",
        "problems": "/api/v1/problems",
        "405": "/accounts/language/",
        "404": "/nowhere/",
        "500": "/broken/",
    }.items():
        visitor.open(path)
        yield name
    visitor.open("/unreachable/")
    visitor.page.route("**", lambda route: route.fulfill(status=204))  # it reloads by itself
    yield "503"
    visitor.page.unroute("**")
    visitor.open(board(space, soon))
    visitor.press(".offers .place a.button")
    visitor.page.locator(".wish").wait_for()
    yield "sign-up for a place"
    visitor.follow("/accounts/login/")
    yield "sign-in for a place"
    yield from _after_mistakes(visitor)


def _after_mistakes(visitor: Person) -> Iterator[str]:
    visitor.open("/accounts/register/")
    visitor.fill(username="a b", password1="1", email="nobody@example.com")
    visitor.submit()
    yield "sign-up after mistakes"
    visitor.open("/accounts/login/")
    visitor.page.locator(".languages button").last.evaluate("button => button.value = 'xx'")
    visitor.page.locator(".languages button").last.click()
    visitor.page.locator(".trouble").wait_for()
    yield "400"
    visitor.open("/accounts/login/")
    visitor.forget()
    visitor.fill(username="alice", password="wrong")
    visitor.submit()
    visitor.page.locator(".trouble").wait_for()
    yield "an old form"
    visitor.open("/accounts/forgotten/")
    visitor.page.locator("main form").evaluate("form => form.noValidate = true")
    visitor.submit()
    visitor.page.locator("main [role=alert]").wait_for()
    yield "forgotten password after a mistake"
    for name, status in {"sign-in after a mistake": 422, "sign-in while it is closed": 429}.items():
        visitor.open("/accounts/login/")
        visitor.fill(username="alice", password="wrong")
        visitor.submit()
        assert visitor.status == status
        yield name


def of_a_new_member(member: Person) -> Iterator[str]:
    for name, path in {
        "no bookings": "/bookings/",
        "no history": "/bookings/history/",
        "profile": "/accounts/profile/",
        "password": "/accounts/password/",
        "e-mail": "/accounts/email/",
        "no tokens": "/accounts/tokens/",
        "no calendar": "/accounts/calendar/",
        "nothing stays": "/accounts/stays/",
        "mail without an address": "/accounts/notifications/",
        "leaving": "/accounts/delete/",
        "403": "/admin/",
    }.items():
        member.open(path)
        yield name
    for name, path in {
        "e-mail": "/accounts/email/",
        "password": "/accounts/password/",
        "leaving": "/accounts/delete/",
    }.items():
        member.open(path)
        member.page.locator("main form").evaluate("form => form.noValidate = true")
        if path == "/accounts/email/":
            member.fill(email="no address")
        member.submit()
        member.page.locator("main [role=alert]").wait_for()
        yield f"{name} after a mistake"
    member.open("/accounts/profile/")
    member.submit()
    member.page.locator("[role=status] .dismiss").wait_for()
    yield "a message"
    yield from _tokens(member)
    yield from _calendar(member)


def _tokens(member: Person) -> Iterator[str]:
    member.open("/accounts/tokens/")
    member.page.locator("main form").evaluate("form => form.noValidate = true")
    member.submit()
    member.page.locator("main [role=alert]").wait_for()
    yield "tokens after a mistake"
    member.fill(name="Планшет")
    member.submit()
    member.page.locator(".new-token").wait_for()
    yield "a new token"
    member.open("/accounts/stays/")
    yield "what works without the password"
    member.open("/accounts/tokens/")
    yield "tokens"
    member.press('main a[href$="/revoke/"]')
    member.page.locator(".ask").wait_for()
    yield "revoking"


def _calendar(member: Person) -> Iterator[str]:
    member.open("/accounts/calendar/")
    member.submit()
    member.page.locator("#address").wait_for()
    yield "calendar"
    for name in ("renew", "close"):
        member.open("/accounts/calendar/")
        member.press(f'main a[href$="/{name}/"]')
        member.page.locator(".ask").wait_for()
        yield f"calendar: {name}"


def of_a_member(
    member: Person, alice: User, bob: User, host: User, space: Space, soon: datetime
) -> Iterator[str]:
    desk, other = space.places.get(number=1), space.places.get(number=2)
    before = soon - timedelta(days=2)
    fresh = book(desk, alice, before, soon, note="Стул для собаки, пожалуйста.")
    moved = book(other, alice, before, soon + hours(24))
    move(moved, before, soon + hours(26))
    cancelled = book(other, alice, before, soon + hours(48))
    services.cancel(cancelled, by=host, now=before, reason="Потоп")
    for n in range(31):
        at = soon - timedelta(days=40 - n)
        book(desk, alice, at - hours(24), at)
    for name, path in {
        "home of a member": "/",
        "board of a member": board(space, soon),
        "bookings": "/bookings/",
        "history": "/bookings/history/",
        "history with nothing chosen": "/bookings/history/?state=REJECTED",
        "booking": f"{fresh.get_absolute_url()}?booked=1",
        "moved booking": f"{moved.get_absolute_url()}?moved=1",
        "cancelled booking": cancelled.get_absolute_url(),
        "cancelling": f"{fresh.get_absolute_url()}cancel/",
    }.items():
        member.open(path)
        yield name
    member.open(fresh.get_absolute_url())
    member.press('.ticket a[href$="/cancel/"]')
    yield "dialog that asks before cancelling"
    member.open(fresh.get_absolute_url())
    member.press('a[href*="move="]')
    member.page.locator("[role=note]").wait_for()
    yield "board while moving"
    yield from _refusals(member, bob, space, soon)
    yield from _mail(member, alice)
    PolicyFactory.create(space=space, cancel_deadline_minutes=7 * 24 * 60)
    member.open(fresh.get_absolute_url())
    yield "booking that is too late to change"
    Space.objects.update(phone="+44 20 7946 0018", email="стойка@лофт.рф")
    member.open(fresh.get_absolute_url())
    yield "whom to ask"
    member.open(board(space, soon + hours(24)))
    yield "board where a booking would be final"
    member.submit('.offers .place form[action="/bookings/"]')
    member.page.locator('.ticket form[action$="/cancel/"]').wait_for()
    yield "booking that can be undone"
    member.end_session()
    member.submit('.ticket form[action$="/cancel/"]')
    yield "sign-in while something waits"
    member.sign_in(alice)
    member.open(member.query["next"])
    member.page.locator('main form[action$="/cancel/"]').wait_for()
    yield "what is sent once more"


def _refusals(member: Person, bob: User, space: Space, soon: datetime) -> Iterator[str]:
    member.open(board(space, soon + hours(72)))
    taken = member.page.locator(".offers .place [name=place]").first.get_attribute("value")
    assert taken is not None
    book(space.places.get(code=taken), bob, soon, soon + hours(72))
    member.submit('.offers .place form[action="/bookings/"]')
    member.page.locator(".refusal").wait_for()
    assert member.status == 409
    yield "refusal of a place that was just taken"
    member.press(".more > summary")
    member.fill(day=f"{soon:%Y-%m-%d}", **{"from": "3:00", "to": "23:45"})
    member.submit(".more form")
    member.page.locator(".refusal .problems").wait_for()
    assert member.status == 422
    yield "refusal by the rules"


def _mail(member: Person, alice: User) -> Iterator[str]:
    alice.email = "алиса@почта.рф"
    alice.save(update_fields=["email"])
    member.open("/accounts/notifications/")
    yield "mail"
    member.submit("main form")
    member.page.locator("[role=status]").wait_for()
    yield "mail without reminders"
    preferences.choose_reminders(alice, wanted=True)
    member.open(urlsplit(preferences.unsubscribe_url(alice)).path)
    yield "unsubscribing"
    for name in ("unsubscribed", "subscribed again"):
        member.submit("main form")
        yield name
    member.open(f"/accounts/forgotten/{passwords.key_of(alice)}/")
    yield "choosing a new password"
    yield from _addresses(member, alice)


def _addresses(member: Person, alice: User) -> Iterator[str]:
    change(alice, email="alice@example.org", pending_email="alice@example.com")
    key = emails.key_of(alice, "alice@example.com")
    for name, path in {
        "profile with an address that waits": "profile",
        "changing the address": "email",
        "confirming an address": f"email/{key}",
    }.items():
        member.open(f"/accounts/{path}/")
        yield name
    member.submit()
    member.page.locator("[role=status]").wait_for()
    yield "an address is confirmed"
    change(alice, email="")
    member.open(f"/accounts/email/{key}/")
    yield "an old link for an address"


def of_the_staff(
    boss: Person, alice: User, host: User, space: Space, soon: datetime
) -> Iterator[str]:
    desk = space.places.get(number=1)
    booking = book(desk, alice, soon - timedelta(days=2), soon)
    closure = ClosureFactory.create(space=space, starts_at=soon + hours(72), reason="Ремонт")
    token, _ = issue(alice, name="Планшет")
    for name, (view, args) in {
        "admin": ("index", []),
        "admin: bookings": ("bookings_booking_changelist", []),
        "admin: booking": ("bookings_booking_change", [booking.pk]),
        "admin: book": ("bookings_booking_add", []),
        "admin: closures": ("spaces_closure_changelist", []),
        "admin: close": ("spaces_closure_add", []),
        "admin: reopen": ("spaces_closure_delete", [closure.pk]),
        "admin: places": ("spaces_place_changelist", []),
        "admin: place": ("spaces_place_change", [desk.pk]),
        "admin: spaces": ("spaces_space_changelist", []),
        "admin: space": ("spaces_space_change", [space.pk]),
        "admin: new space": ("spaces_space_add", []),
        "admin: more places": ("spaces_space_generate", [space.pk]),
        "admin: people": ("accounts_user_changelist", []),
        "admin: person": ("accounts_user_change", [host.pk]),
        "admin: tokens": ("accounts_apitoken_changelist", []),
        "admin: token": ("accounts_apitoken_change", [token.pk]),
    }.items():
        boss.open(reverse(f"admin:{view}", args=args))
        yield name
    boss.open(f"{reverse('admin:bookings_booking_cancel')}?codes={booking.code}")
    yield "admin: cancel"
    for name, view in {"book": "bookings_booking_add", "close": "spaces_closure_add"}.items():
        boss.open(reverse(f"admin:{view}"))
        boss.page.locator("#content-main form").last.evaluate("form => form.noValidate = true")
        boss.submit(".submit-row")
        boss.page.locator(".errornote").wait_for()
        yield f"admin: {name}, after mistakes"
    boss.open(reverse("admin:spaces_closure_add"))
    boss.page.locator("[name=what]").select_option(index=1)
    boss.fill(first_day=f"{soon:%Y-%m-%d}", reason="Потоп")
    boss.submit(".submit-row")
    boss.page.locator(".rows").wait_for()
    yield "admin: bookings in the way of a closure"
    yield from stranded.of_the_set_up(boss, desk)
    yield from _calendars_of(boss, space)


def _calendars_of(boss: Person, space: Space) -> Iterator[str]:
    page = reverse("space_calendars", args=[space.slug])
    boss.open("/accounts/calendar/")
    yield "calendar of who runs spaces"
    boss.open(page)
    yield "space's calendars: none"
    boss.page.locator("main [name=what]").evaluate("field => field.options[0].value = 'x'")
    boss.page.locator("main [name=what]").select_option(index=0)
    boss.submit()
    boss.page.locator("main [role=alert]").wait_for()
    yield "space's calendars after a mistake"
    for n in (1, 2):
        boss.open(page)
        boss.page.locator("main [name=what]").select_option(index=0)
        boss.submit()
        boss.page.locator(f".calendar.card:nth-of-type({n}) input").wait_for()
    yield "space's calendars"
