"""The page of a party at the door, by its link."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from bookings.deciding import holds, waiting_links
from bookings.deciding.walk_ins import Seat
from bookings.guests import BY_GUEST
from bookings.models import Booking, WaitingParty
from bookings.states import State
from bookings.tests.door import (
    HOUR,
    add,
    told,
)
from spaces.slots import floor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database,
    pytest.mark.usefixtures("always_open"),
]


def page_of(party):
    return f"/w/{waiting_links.token_of(party)}/"


def state_of(party):
    party.refresh_from_db()
    return party.state


def test_who_waits_sees_how_many_are_ahead_and_how_long(client, inn, boss):
    now = timezone.now()
    for place in inn.places.by_number():
        told(place, by=boss, now=now)
    add(inn, "Boris", by=boss, now=now)
    party = add(inn, quoted_minutes=85, by=boss, now=now + timedelta(seconds=1))
    page = client.get(page_of(party)).text
    assert "1 party is ahead of you" in page
    assert "we said about 1 h 25 min" in page
    assert "Yes, we are coming" not in page
    assert "Boris" not in page


def test_the_first_of_the_list_is_next(client, inn, boss):
    assert "You are next" in client.get(page_of(add(inn, by=boss, now=timezone.now()))).text


def test_ready_says_until_when_and_yes_takes_it(client, table, boss):
    party = told(table, by=boss, now=timezone.now())
    page = client.get(page_of(party)).text
    assert f"{table} is ready for you" in page
    assert f"It is held until {party.booking.hold_expires_at:%-H:%M}" in page.replace(
        '<span class="whole">', ""
    ).replace("</span>", "")
    page = client.post(page_of(party) + "yes/", follow=True).text
    assert f"{table} is yours." in page
    assert (state_of(party), Booking.objects.get().state) == ("COMING", State.CONFIRMED)


def test_no_frees_the_table(client, table, boss):
    party = told(table, by=boss, now=timezone.now())
    page = client.post(page_of(party) + "no/", follow=True).text
    assert "You are off the list" in page
    assert Booking.objects.get().state == State.EXPIRED


def test_whoever_is_slower_is_told_and_keeps_the_place_in_the_list(client, inn, table, boss):
    now = timezone.now()
    anna, boris = told(table, by=boss, now=now), add(inn, "Boris", by=boss, now=now)
    holds.tell_too(boris, anna.booking, by=boss, now=now)
    holds.confirm(boris, by=BY_GUEST, now=now)
    page = client.post(page_of(anna) + "yes/", follow=True).text
    assert "Somebody else was a little quicker. You keep your place in the list." in page
    assert "You are next" in page
    assert state_of(anna) == "WAITING"


@pytest.mark.parametrize("has_worker", [True, False])
def test_too_late(client, table, boss, has_worker):
    party = told(table, by=boss, now=timezone.now() - timedelta(minutes=11))
    if has_worker:
        holds.let_holds_lapse(now=timezone.now())
    page = client.get(page_of(party)).text
    assert "The table is free for others now" in page
    assert "Yes, we are coming" not in page
    page = client.post(page_of(party) + "yes/", follow=True).text
    assert "was held until the time we gave" in page
    assert not Booking.objects.filter(state=State.CONFIRMED).exists()


def test_every_state_has_a_page(client, inn, boss):
    party = add(inn, by=boss, now=timezone.now())
    for state in WaitingParty.State:
        WaitingParty.objects.update(state=state, told_at=timezone.now())
        assert client.get(page_of(party)).status_code == 200


def test_an_open_page_asks_for_the_part_that_changes(client, inn, boss):
    party = add(inn, by=boss, now=timezone.now())
    page = client.get(page_of(party), headers={"hx-request": "true"}).text
    assert "<main" not in page
    again = re.search(f'hx-get="({page_of(party)}[^"]*)"', page)[1]
    assert client.get(again, headers={"hx-request": "true"}).status_code == 204
    holds.tell(
        party,
        Seat(inn.places.by_number()[0], floor(timezone.now()) + HOUR),
        by=boss,
        now=timezone.now(),
    )
    assert "is ready for you" in client.get(again, headers={"hx-request": "true"}).text


class TestTheSecret:
    """Who may what is in the table of `test_page_matrix`; this is how it is kept."""

    def test_no_cache_no_index_no_referrer(self, client, inn, boss):
        party = add(inn, by=boss, now=timezone.now())
        for path in (page_of(party), "/w/" + "A" * 43 + "/"):
            answer = client.get(path)
            assert "no-store" in answer["Cache-Control"]
            assert answer["X-Robots-Tag"] == "noindex, nofollow"
            assert answer["Referrer-Policy"] == "same-origin"

    def test_wrong_expired_and_revoked_ones_look_the_same(self, client, inn, boss):
        now = timezone.now()
        old = add(inn, by=boss, now=now - timedelta(days=1))
        revoked = add(inn, by=boss, now=now)
        waiting_links.revoke(revoked, now=now)
        wrong = f"/w/{'A' * 43}/"
        answers = [client.get(path) for path in (wrong, page_of(old), page_of(revoked))]
        assert {answer.status_code for answer in answers} == {404}
        pages = [answer.text.replace(answer["X-Request-ID"], "") for answer in answers]
        mains = {page.partition("<main")[2].partition("</main")[0] for page in pages}
        assert len(mains) == 1
        assert "ask at the door" in mains.pop()

    def test_a_form_of_another_site_is_not_heard(self, table, boss):
        party = told(table, by=boss, now=timezone.now())
        outside = Client(enforce_csrf_checks=True)
        assert outside.post(page_of(party) + "yes/").status_code == 403
        assert state_of(party) == "TOLD"
