"""All events in one order that never changes behind a reader.

An event's key is given before its transaction commits, so a higher key can be seen first, and who
remembers the highest key loses the lower ones. A position is given afterwards, to what is
committed, by one at a time: what a reader has not seen yet always comes behind what it has.
"""

from django.db.models import Max

from bookings.deciding.transactions import transactional
from bookings.models import BookingEvent

CHUNK = 1000


def place_new() -> int:
    """Give committed events their position, some at a time; return how many."""
    return _place() if BookingEvent.objects.unplaced().exists() else 0


@transactional
def _place() -> int:
    # The first event's row is the lock: it is always there and nobody changes it.
    BookingEvent.objects.order_by("pk").select_for_update(no_key=True)[:1].get()
    # But on a new site a lower key may come late and be the first for the next process: so the rows
    # are locked too, and what has a position by now is left out.
    unplaced = BookingEvent.objects.unplaced().order_by("pk")
    new = list(unplaced.select_for_update(no_key=True)[:CHUNK])
    last = BookingEvent.objects.aggregate(last=Max("position"))["last"] or 0
    for position, event in enumerate(new, last + 1):
        event.position = position
    BookingEvent.objects.bulk_update(new, ["position"], batch_size=200)
    return len(new)
