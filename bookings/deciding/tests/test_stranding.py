"""What a change of set-up would strand: asked, kept, cancelled, or left as it was."""

import pytest

from bookings.tests.acts import book, hours
from spaces.tests.staff import filled_in, page, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def late(desk, alice, soon):
    return book(desk, alice, soon - hours(40), soon + hours(6))


def test_shortened_hours_are_asked_about(client, space, manager, late):
    sign_in(client, manager)
    data = filled_in(client, page(space))
    data |= {f"opening_hours-{n}-closes_at": "12:00" for n in range(7)}
    answer = client.post(page(space), data)
    assert answer.status_code == 409
    print(answer.text)
