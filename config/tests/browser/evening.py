"""A restaurant just after noon: somebody is due, and others come later."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import User
from bookings.models import Booking
from bookings.tests.acts import book
from config.tests.browser.inspection import Scheme, foreign_words, misfits, violations
from config.tests.browser.person import Person
from spaces.models import Space

DAY = "/staff/loft/"
NOON = datetime(2026, 11, 25, 12, 5, tzinfo=UTC)
EARLIER = NOON - timedelta(days=1)


def of(
    space: Space, host: User, names: Sequence[str] = ("Росси", "Бьянки", "Верди")
) -> dict[str, Booking]:
    """Turn a space into a restaurant where one is due, one comes at two, and one at eight."""
    Space.objects.update(kind="RESTAURANT")
    space.places.update(kind="TABLE", capacity=4)
    coming = zip(names, (12, 14, 20), strict=True)
    return {name: party(space, host, n, name, hour) for n, (name, hour) in enumerate(coming, 1)}


def party(
    space: Space, host: User, number: int, name: str, hour: int, *, days: int = 0, **kwargs: Any
) -> Booking:
    starts_at = NOON.replace(hour=hour, minute=0) + timedelta(days=days)
    kwargs = {"party_size": 2, "guest_contact": "+39 06 6982", **kwargs}
    place = space.places.get(number=number)
    return book(place, None, EARLIER, starts_at, 1, by=host, guest_name=name, **kwargs)


def amiss(someone: Person) -> list[str]:
    """Return what is wrong with the page somebody looks at, in the window they have."""
    size = someone.page.viewport_size
    assert size is not None
    scheme: Scheme = "dark" if someone.is_on_phone else "light"
    is_russian = someone.page.locator("html").get_attribute("lang") == "ru"
    return [
        *misfits(someone.page, size),
        *violations(someone.page, size, scheme),
        *(foreign_words(someone.page) if is_russian else ()),
    ]
