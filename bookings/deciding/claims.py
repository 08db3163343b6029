"""What this process is deciding: a claim that is renewed for as long as its decision takes.

So a lease can be short. A worker that is killed renews nothing, and another soon takes over; one
that is slow keeps its claim.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError

from bookings.models import Booking

#: For how many leases a decision that failed is left alone. It may have met a long lock, and there
#: are only so many attempts.
PUT_OFF = 4


@dataclass(eq=False)
class Claim:
    """A booking that this process decides; `until` is the lease in its row."""

    pk: int
    until: datetime


_held: set[Claim] = set()


def lease_from(now: datetime, *, times: int = 1) -> datetime:
    return now + times * timedelta(seconds=settings.DECISION_LEASE_SECONDS)


@contextmanager
def held(pk: int, until: datetime, *, now: datetime) -> Iterator[None]:
    """Renew a claim meanwhile; put it off if the decision fails."""
    claim = Claim(pk, until)
    _held.add(claim)
    try:
        yield
    except Exception:
        _held.discard(claim)
        with suppress(DatabaseError):  # then it is tried again when the lease runs out
            _extend(claim, lease_from(now, times=PUT_OFF))
        raise
    finally:
        _held.discard(claim)


def renew_claims(*, now: datetime) -> int:
    """Put off the end of every lease that this process holds. Returns 0: it isn't work."""
    for claim in _held.copy():
        _extend(claim, lease_from(now))
    return 0


def _extend(claim: Claim, until: datetime) -> None:
    """Move a lease, unless it ran out and another worker took over, or all is decided."""
    if until > claim.until:
        mine = Booking.objects.filter(pk=claim.pk, lease_expires_at=claim.until)
        if mine.update(lease_expires_at=until):
            claim.until = until
