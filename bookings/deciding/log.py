"""All events in one order that never changes behind a reader's back.

An event's key is assigned before its transaction commits, so a higher key can become visible first,
and a reader that remembers the highest key misses lower ones. A position is assigned afterwards, to
what is committed, by one process at a time: new events always come after those a reader has seen.
"""

from django.db.models import Max

from bookings.deciding.transactions import transactional
from bookings.models import BookingEvent

CHUNK = 1000


def place_new() -> int:
    """Give committed events their position, a batch at a time; return how many."""
    return _place() if BookingEvent.objects.unplaced().exists() else 0


@transactional
def _place() -> int:
    # The first event's row is the lock: it is always there and nobody changes it.
    BookingEvent.objects.order_by("pk").select_for_update(no_key=True)[:1].get()
    # But on a new site a lower key may commit late and become the first event: so the rows
    # are locked too, and those that have a position by now are skipped.
    unplaced = BookingEvent.objects.unplaced().order_by("pk")
    new = list(unplaced.select_for_update(no_key=True)[:CHUNK])
    last = BookingEvent.objects.aggregate(last=Max("position"))["last"] or 0
    for position, event in enumerate(new, last + 1):
        event.position = position
    BookingEvent.objects.bulk_update(new, ["position"], batch_size=200)
    return len(new)
