"""Shifts, turn times and combinations are set up in sentences; bookings are asked about."""

import re
from datetime import time, timedelta

import pytest
from django.test import Client

from bookings.models import BookedSlot, BookingEvent
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.words.seating_in_words import turns_in_words
from spaces.factories import PlaceFactory, PolicyFactory, ShiftFactory, TurnTimeFactory
from spaces.models import Place, Policy, Shift, TurnTime

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SEATING = "/staff/loft/seating/"
NEW_SHIFT, TURNS = f"{SEATING}shifts/0/", f"{SEATING}turns/"
COMBINATIONS = f"{SEATING}combinations/"
DINNER = {
    "name": "Dinner",
    "weekdays": list("0123456"),
    "first_seating": "18:00",
    "last_seating": "21:00",
}


@pytest.fixture
def at_desk(manager):
    client = Client()
    client.force_login(manager)
    return client


def hidden(page):
    """Return what a page carries: what was seen, and which bookings were shown."""
    pairs = re.findall('type="hidden" name="(seen|shown)" value="([^"]*)"', page.text)
    return dict(pairs)


def send(client, path, fields, **more):
    return client.post(path, {**fields, **hidden(client.get(path)), **more})


def sentences(client):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", client.get(SEATING).text))


def test_nothing_is_set_up_and_the_page_says_what_holds_then(at_desk):
    found = sentences(at_desk)
    for words in ("There are no shifts", "There are no turn times", "There is no combination yet"):
        assert words in found


def test_a_shift_is_made_and_read_as_sentences(at_desk, space):
    sent = DINNER | {"weekdays": ["4", "5"], "covers_online": "12", "covers_in_house": "20"}
    assert send(at_desk, NEW_SHIFT, sent)["Location"] == SEATING
    shift = Shift.objects.get()
    assert (shift.space, shift.weekdays, shift.covers_online) == (space, "45", 12)
    found = sentences(at_desk)
    assert "Fri, Sat: the first seating is at 18:00, the last at 21:00." in found
    assert "Online, up to 12 people may arrive in a quarter hour." in found
    assert "By phone and without a booking, up to 20 people." in found


def test_a_shift_over_midnight_says_so(at_desk):
    send(at_desk, NEW_SHIFT, DINNER | {"first_seating": "22:00", "last_seating": "1:00"})
    assert "Every day: the first seating is at 22:00, the last at 1:00 in the night." in sentences(
        at_desk
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u2060"}, "name"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": ["9"]}, "weekdays"),
        ({"first_seating": "18:07"}, "first_seating"),
        ({"last_seating": "late"}, "last_seating"),
        ({"covers_online": "-1"}, "covers_online"),
        ({"covers_in_house": "many"}, "covers_in_house"),
    ],
)
def test_a_wrong_shift_is_shown_again_as_it_was_typed(at_desk, wrong, field):
    page = send(at_desk, NEW_SHIFT, DINNER | {"covers_online": "7"} | wrong)
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert f'href="#{field if field == "weekdays" else f"id_{field}"}"' in page.text
    assert not Shift.objects.exists()


def test_a_name_is_given_to_one_shift(at_desk, space):
    ShiftFactory.create(space=space, name="Dinner")
    ShiftFactory.create(name="Lunch")  # elsewhere
    assert send(at_desk, NEW_SHIFT, DINNER).status_code == 422
    assert send(at_desk, NEW_SHIFT, DINNER | {"name": "Lunch"}).status_code == 302


def test_a_name_that_is_given_away_at_the_same_moment(at_desk, space, monkeypatch):
    """The constraint decides; the page is shown again."""
    page = hidden(at_desk.get(NEW_SHIFT))
    save = Shift.save

    def later(shift, **kwargs):
        Shift.objects.bulk_create([ShiftFactory.build(space=space, name="Dinner")])
        save(shift, **kwargs)

    monkeypatch.setattr(Shift, "save", later)
    answer = at_desk.post(NEW_SHIFT, DINNER | page)
    assert answer.status_code == 422
    assert "has a shift of that name" in answer.text


def test_a_shift_that_would_strand_bookings_asks_first(at_desk, alice, desk, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    sent = DINNER | {"first_seating": "20:00", "last_seating": "21:00"}
    page = send(at_desk, NEW_SHIFT, sent)
    assert page.status_code == 409
    assert "1 booking would no longer fit" in page.text
    assert not Shift.objects.exists()
    assert at_desk.post(NEW_SHIFT, sent | hidden(page) | {"choice": "back"}).status_code == 200
    at_desk.post(NEW_SHIFT, sent | hidden(page) | {"choice": "keep"})
    assert Shift.objects.get().name == "Dinner"
    booking.refresh_from_db()
    assert booking.state == State.CONFIRMED
    assert booking.events.filter(kind=BookingEvent.Kind.KEPT).exists()


def test_they_are_cancelled_only_with_a_reason(at_desk, alice, desk, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    sent = DINNER | {"first_seating": "20:00", "last_seating": "21:00"}
    page = send(at_desk, NEW_SHIFT, sent)
    told = sent | hidden(page) | {"choice": "cancel"}
    assert at_desk.post(NEW_SHIFT, told).status_code == 422
    at_desk.post(NEW_SHIFT, told | {"reason": "Dinners only"})
    booking.refresh_from_db()
    assert (booking.state, Shift.objects.count()) == (State.CANCELLED, 1)


def test_a_shift_goes_with_its_rules_and_that_is_said(at_desk, space):
    shift = ShiftFactory.create(space=space, name="Dinner")
    PolicyFactory.create(space=space, shift=shift, max_minutes=120)
    found = sentences(at_desk)
    assert "up to 2 h at a time" in found
    page = send(at_desk, f"{SEATING}shifts/1/", DINNER, remove="1")
    assert page.status_code == 409
    assert "1 rule goes with it." in page.text
    assert Shift.objects.exists()
    sent = DINNER | {"remove": "1", "choice": "keep"} | hidden(page)
    at_desk.post(f"{SEATING}shifts/1/", sent)
    assert not Shift.objects.exists()
    assert not Policy.objects.exists()


def test_a_rule_begins_with_its_shift(at_desk, space):
    shift = ShiftFactory.create(space=space, name="Dinner", first_seating=time(18))
    ShiftFactory.create(space=space, name="Lunch", first_seating=time(12), last_seating=time(14))
    page = at_desk.get("/staff/loft/rules/0/?shift=2")
    assert page.context["form"]["shift"].value() == shift.pk


def test_who_saves_what_somebody_else_changed_is_told(at_desk, space):
    shift = ShiftFactory.create(space=space, name="Dinner")
    page = hidden(at_desk.get(f"{SEATING}shifts/1/"))
    Shift.objects.filter(pk=shift.pk).update(covers_online=3)
    for more in ({}, {"remove": "1", "choice": "keep"}):
        answer = at_desk.post(f"{SEATING}shifts/1/", DINNER | page | more, follow=True)
        assert "Somebody changed this meanwhile" in answer.text
    assert Shift.objects.get().covers_online == 3


def test_turn_times_are_changed_all_at_once(at_desk, space):
    TurnTimeFactory.create(space=space, from_party=2, minutes=60)
    sent = {"from_0": "1", "length_0": "90 min", "from_1": "3", "length_1": "2 h"}
    send(at_desk, TURNS, sent | {"from_3": "5", "length_3": "2:30"})
    known = TurnTime.objects.order_by("from_party").values_list("from_party", "minutes")
    assert list(known) == [(1, 90), (3, 120), (5, 150)]
    found = sentences(at_desk)
    for words in ("1–2 people: 1 h 30 min", "3–4 people: 2 h", "5 or more people: 2 h 30 min"):
        assert words in found
    send(at_desk, TURNS, {})
    assert not TurnTime.objects.exists()


def test_parties_below_the_first_line_are_said_too():
    assert turns_in_words([TurnTime(from_party=3, minutes=120)]) == [
        "1–2 people: as long as usual",
        "3 or more people: 2 h",
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"from_0": "1"}, "length_0"),
        ({"length_0": "2 h"}, "from_0"),
        ({"from_0": "1", "length_0": "2"}, "length_0"),
        ({"from_0": "1", "length_0": "50 min"}, "length_0"),
        ({"from_0": "1", "length_0": "2 days"}, "length_0"),
        ({"from_0": "0", "length_0": "2 h"}, "from_0"),
        ({"from_0": "2", "length_0": "2 h", "from_1": "2", "length_1": "3 h"}, "from_1"),
    ],
)
def test_wrong_turn_times(at_desk, space, wrong, field):
    TurnTimeFactory.create(space=space, from_party=2, minutes=60)
    page = send(at_desk, TURNS, wrong)
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert TurnTime.objects.get().minutes == 60


def test_turn_times_of_two_people_at_once(at_desk, space):
    page = hidden(at_desk.get(TURNS))
    TurnTimeFactory.create(space=space, from_party=2, minutes=60)
    answer = at_desk.post(TURNS, {"from_0": "1", "length_0": "2 h", **page}, follow=True)
    assert "Somebody changed this meanwhile" in answer.text
    assert TurnTime.objects.get().minutes == 60


@pytest.fixture
def tables(space):
    place = {"space": space, "kind": "TABLE", "capacity": 4, "area": "Terrace"}
    return [PlaceFactory.create(number=number, **place) for number in (21, 22, 23)]


def chosen(tables):
    return {"parts": [table.code for table in tables], "is_bookable": "on"}


def test_a_combination_is_made_with_what_its_places_have(at_desk, tables):
    send(at_desk, COMBINATIONS, chosen(tables[:2]))
    whole = Place.objects.exclude(parts=None).get()
    assert (whole.name, whole.number, whole.kind) == ("Table 21 + 22", 24, "TABLE")
    assert (whole.min_party, whole.capacity, whole.area) == (1, 8, "Terrace")
    assert set(whole.parts.all()) == set(tables[:2])
    assert "Table 21 + Table 22 For 1 to 8 people." in sentences(at_desk)


def test_a_new_combination_begins_with_nothing_of_a_place(at_desk, tables):
    form = at_desk.get(COMBINATIONS).context["form"]
    assert [form[name].value() for name in ("name", "min_party", "capacity", "priority")] == [
        "",
        None,
        None,
        None,
    ]
    _whole, path = combination(at_desk, tables[:2], min_party="5", priority="2")
    form = at_desk.get(path).context["form"]
    shown = [form[name].value() for name in ("name", "min_party", "capacity", "priority")]
    assert shown == ["Table 21 + 22", 5, 8, 2]


def test_a_combination_has_its_own_bounds_and_priority(at_desk, tables):
    bounds = {"name": "The long table", "min_party": "5", "capacity": "7", "priority": "3"}
    send(at_desk, COMBINATIONS, chosen(tables) | bounds)
    whole = Place.objects.get(name="The long table")
    assert (whole.min_party, whole.capacity, whole.priority) == (5, 7, 3)
    found = sentences(at_desk)
    assert "For 5 to 7 people." in found
    assert "Priority 3 among combinations." in found


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"parts": []}, "parts"),
        ({"min_party": "9", "capacity": "8"}, "min_party"),
        ({"capacity": "2000"}, "capacity"),
        ({"priority": "101"}, "priority"),
        ({"name": "\u3164"}, "name"),
    ],
)
def test_a_wrong_combination(at_desk, tables, wrong, field):
    page = send(at_desk, COMBINATIONS, chosen(tables) | wrong)
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert not Place.objects.exclude(parts=None).exists()


def test_a_combination_is_of_two_places_of_one_kind_here(at_desk, space, desk, tables):
    foreign = PlaceFactory.create(kind="TABLE")
    for wrong in (tables[:1], [tables[0], desk], [*tables, foreign]):
        assert send(at_desk, COMBINATIONS, chosen(wrong)).status_code == 422
    assert not Place.objects.exclude(parts=None).exists()


def combination(client, tables, **fields):
    send(client, COMBINATIONS, chosen(tables) | fields)
    whole = Place.objects.exclude(parts=None).get()
    return whole, f"{COMBINATIONS}{whole.code}/"


def test_a_combination_keeps_what_the_page_does_not_show(at_desk, tables):
    whole, path = combination(at_desk, tables[:2])
    Place.objects.filter(pk=whole.pk).update(features=["window"], plan_x=5)
    send(at_desk, path, chosen(tables) | {"name": "All three", "capacity": "12"})
    whole.refresh_from_db()
    assert (whole.name, whole.capacity, whole.parts.count()) == ("All three", 12, 3)
    assert (whole.features, whole.plan_x) == (["window"], 5)


def test_a_booking_of_it_takes_the_new_part_or_has_to_go(at_desk, alice, bob, tables, soon):
    """Both are said before."""
    whole, path = combination(at_desk, tables[:2])
    booking = book(whole, alice, soon - hours(24), soon, party_size=5)
    page = send(at_desk, path, chosen(tables))
    assert page.status_code == 409
    at_desk.post(path, chosen(tables) | hidden(page) | {"choice": "keep"})
    assert whole.parts.count() == 3
    assert BookedSlot.objects.filter(booking=booking).values("place").distinct().count() == 3
    send(at_desk, path, chosen(tables[:2]), choice="keep", shown=str(booking.code))
    book(tables[2], bob, soon - hours(24), soon)
    page = send(at_desk, path, chosen(tables))
    assert "can’t be kept" in page.text
    assert 'value="keep"' not in page.text
    answer = {"choice": "cancel", "reason": "The wall is torn down"}
    at_desk.post(path, chosen(tables) | hidden(page) | answer)
    booking.refresh_from_db()
    assert (booking.state, whole.parts.count()) == (State.CANCELLED, 3)


def test_a_combination_is_offered_no_more(at_desk, alice, tables, soon):
    whole, path = combination(at_desk, tables[:2])
    booking = book(whole, alice, soon - hours(24), soon, party_size=5)
    page = send(at_desk, path, {"parts": chosen(tables[:2])["parts"]})
    assert page.status_code == 409
    sent = {"parts": chosen(tables[:2])["parts"], "choice": "keep", **hidden(page)}
    at_desk.post(path, sent)
    whole.refresh_from_db()
    assert not whole.is_bookable
    assert "Not offered now." in sentences(at_desk)
    booking.refresh_from_db()
    assert booking.state == State.CONFIRMED


def test_a_combination_is_removed_unless_it_was_booked(at_desk, alice, tables, soon):
    whole, path = combination(at_desk, tables[:2])
    page = send(at_desk, path, {}, remove="1")
    assert "Its 2 places stay, and are booked alone." in page.text
    booking = book(whole, alice, soon - hours(24), soon, party_size=5)
    answer = {"remove": "1", "choice": "keep", **hidden(page)}
    refused = at_desk.post(path, answer | {"shown": str(booking.code)}, follow=True)
    assert "Somebody changed this meanwhile" in refused.text
    assert 'name="remove"' not in at_desk.get(path).text
    assert "stays for the history" in at_desk.get(path).text
    booking.events.all().delete()
    BookedSlot.objects.filter(booking=booking).delete()
    booking.delete()
    at_desk.post(path, answer)
    assert not Place.objects.filter(pk=whole.pk).exists()
    assert Place.objects.filter(pk=tables[0].pk).exists()


def test_a_place_is_no_combination(at_desk, tables):
    assert at_desk.get(f"{COMBINATIONS}{tables[0].code}/").status_code == 404


def test_the_tabs_lead_to_calendars_and_webhooks(at_desk):
    page = at_desk.get(SEATING).text
    for path in ("/staff/spaces/loft/calendars/", "/staff/spaces/loft/webhooks/"):
        assert f'href="{path}"' in page
        assert f'href="{SEATING}"' in at_desk.get(path).text


def test_a_hosts_calendars_have_no_tabs(client, host):
    client.force_login(host)
    page = client.get("/staff/spaces/loft/calendars/")
    assert (page.status_code, SEATING in page.text) == (200, False)


def test_a_shift_of_tomorrow_alone_hits_nobody_today(at_desk, alice, desk, soon):
    book(desk, alice, soon - hours(24), soon)
    other = str((soon + timedelta(days=2)).weekday())
    assert send(at_desk, NEW_SHIFT, DINNER | {"weekdays": [other]}).status_code == 302
