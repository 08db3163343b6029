"""Check-in against release, and against who wants the place next: one winner, every time."""

import pytest
from django.utils import timezone

from bookings.deciding.invariants import violations
from chaos import unclaimed

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12


def test_of_check_in_and_release_exactly_one_wins():
    """The thousand: `python -m chaos unclaimed`, see docs/reliability.md."""
    rounds = unclaimed.play(ROUNDS)
    assert [each for each in rounds if each.wrong] == []
    assert len(rounds) == ROUNDS
    assert list(violations(now=timezone.now())) == []
