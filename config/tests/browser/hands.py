"""How bookings are dragged on the staff's timeline, and how much work typing is."""

from datetime import timedelta

from playwright.sync_api import Locator, expect

from bookings.models import Booking
from config.tests.browser.person import Person

#: Who types slowly: five keys a second, and a second for each press.
KEYS_A_SECOND = 5


def block(someone: Person, booking: Booking) -> Locator:
    return someone.page.locator(f"#block-{booking.code}")


def drag(
    someone: Person, booking: Booking, *, rows: int = 0, quarters: int = 0, by_end: bool = False
) -> None:
    """Drag a block by its middle or by its end: with the mouse, on a phone with a finger."""
    page, held = someone.page, block(someone, booking)
    held.scroll_into_view_if_needed()
    box = held.bounding_box()
    height = page.locator("tbody tr").nth(1).bounding_box()
    assert box is not None
    assert height is not None
    down = rows * height["height"]
    along = (
        quarters * box["width"] / ((booking.ends_at - booking.starts_at) / timedelta(minutes=15))
    )
    x = box["x"] + (box["width"] - 6 if by_end else box["width"] / 2)
    y = box["y"] + box["height"] / 2
    if someone.is_on_phone:
        _by_finger(someone, x, y, along, down)
        return
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + along / 2, y + down / 2, steps=3)
    page.mouse.move(x + along, y + down, steps=3)
    page.mouse.up()


def _by_finger(someone: Person, x: float, y: float, along: float, down: float) -> None:
    """Hold a block until it is lifted, and put it elsewhere."""
    finger = someone.page.context.new_cdp_session(someone.page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    expect(someone.page.locator(".ghost")).to_be_visible()  # it was held long enough
    touch("touchMove", {"x": x + along, "y": y + down})
    touch("touchEnd")


class Typist:
    """Counts what somebody presses and types. `delay` is between two keys, in milliseconds."""

    def __init__(self, someone: Person, *, delay: float = 0) -> None:
        self.someone = someone
        self.delay = delay
        self.keys = self.presses = 0

    @property
    def seconds(self) -> float:
        """How long that takes a slow typist."""
        return self.keys / KEYS_A_SECOND + self.presses

    def press(self, selector: str) -> None:
        self.presses += 1
        self.someone.press(selector)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.keys += len(text)
        self.someone.page.keyboard.type(text, delay=self.delay)

    def key(self, name: str) -> None:
        self.keys += 1
        self.someone.page.keyboard.press(name, delay=self.delay)
