from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from bookings.deciding import knowing, services
from bookings.deciding.errors import Refused
from bookings.deciding.knowing import contacts, digits, recognise, suggestions
from bookings.deciding.visits import walk_in
from bookings.deciding.wish import Wish
from bookings.guests import Guest
from bookings.models import Booking
from bookings.states import State
from spaces.factories import open_space
from spaces.models import Place, Space

ANNA = "79001234567"


@pytest.mark.parametrize(
    "spelling",
    [
        "+7 900 123-45-67",
        "8 (900) 123-45-67",
        "8-900-123-45-67",
        "89001234567",
        "9001234567",
        "007 900 1234567",
        "0079001234567",
        "+7(900)1234567",
        "79001234567",
        " +7 900 123 45 67 доб. 5",
        "+7.900.123.45.67",
        "８９００１２３４５６７",
    ],
)
def test_a_number_is_one_text_however_it_is_spelled(spelling):
    assert digits(spelling, "RU") == ANNA


@pytest.mark.parametrize(
    ("spelling", "country", "expected"),
    [
        ("020 7946 0018", "GB", "442079460018"),
        ("+44 (0)20 7946 0018", "RU", "442079460018"),
        ("0044 20 7946 0018", "RU", "442079460018"),
        ("011 44 20 7946 0018", "US", "442079460018"),
        ("030 901820", "DE", "4930901820"),
        ("+7 900 123-45-67", "", ANNA),
        ("00 7 900 123 45 67", "", ANNA),
        ("79001234567", "GB", ANNA),
        ("101", "RU", "101"),
        ("room 5", "", "5"),
        ("", "RU", ""),
        ("none", "RU", ""),
        ("1" * 50, "RU", "1" * 20),
    ],
)
def test_the_country_says_what_a_short_number_means(spelling, country, expected):
    assert digits(spelling, country) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna@example.org", ("", "anna@example.org")),
        ("Anna@Example.ORG", ("", "anna@example.org")),
        ("+7 900 123-45-67", ("+7 900 123-45-67", "")),
        ("8 (900) 123-45-67, anna@example.org", ("8 (900) 123-45-67", "anna@example.org")),
        ("anna1985@example.org / 89001234567", ("89001234567", "anna1985@example.org")),
        ("Anna <anna@example.org>", ("", "anna@example.org")),
        ("mailto:anna@example.org", ("", "anna@example.org")),
        ("table 12, by the window", ("", "")),
        ("@anna", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_contact_is_a_phone_or_an_e_mail_or_both(text, expected):
    assert contacts(text) == expected


def meet(space: Space, now: datetime, **said: str) -> Guest | None:
    said = {"name": "Anna", "phone": "", "email": ""} | said
    with transaction.atomic():
        return recognise(space, now=now, **said)


def test_a_guest_is_recognised_by_phone_or_e_mail(space, now):
    Space.objects.filter(pk=space.pk).update(country="RU")
    space.refresh_from_db()
    anna = meet(space, now, phone="8 (900) 123-45-67", email="Anna@example.org")

    assert meet(space, now, name="A. Petrova", phone="+79001234567") == anna
    assert meet(space, now, name="Annie", email="ANNA@example.org") == anna
    assert meet(space, now, name="Boris", phone="+79007654321") != anna
    assert (anna.name, anna.phone_digits, anna.email) == ("Anna", ANNA, "anna@example.org")


def test_without_a_country_the_time_zone_says_what_a_number_means(now, db):
    space = open_space(slug="moscow", time_zone="Europe/Moscow", places=1)

    anna = meet(space, now, phone="8 900 123-45-67")

    assert anna.phone_digits == ANNA


def test_nobody_is_recognised_by_a_name_alone(space, now):
    assert meet(space, now) is None
    assert not Guest.objects.exists()


def test_guests_of_another_space_are_others(space, now):
    other = open_space(slug="bar", places=1)
    anna = meet(space, now, email="anna@example.org")

    assert meet(other, now, email="anna@example.org") != anna


def test_the_phone_counts_more_than_the_e_mail(space, now):
    by_mail = meet(space, now, name="Mail", email="one@example.org")
    by_phone = meet(space, now, name="Phone", phone="+7 900 123-45-67")

    assert meet(space, now, phone="+79001234567", email="one@example.org") == by_phone != by_mail


def test_only_staff_add_to_what_is_known(space, now):
    anna = meet(space, now, phone="+7 900 123-45-67")

    meet(space, now, phone="+7 900 123-45-67", email="thief@example.org")
    anna.refresh_from_db()
    assert anna.email == ""

    with transaction.atomic():
        recognise(
            space, name="", phone="+79001234567", email="anna@example.org", now=now, learn=True
        )
    anna.refresh_from_db()
    assert anna.email == "anna@example.org"


def test_what_is_known_of_somebody_else_is_not_added(space, now):
    other = meet(space, now, name="Other", email="one@example.org")
    anna = meet(space, now, phone="+7 900 123-45-67")

    with transaction.atomic():
        found = recognise(
            space, name="", phone="+79001234567", email="one@example.org", now=now, learn=True
        )

    assert (found, found.email) == (anna, "")
    assert Guest.objects.get(email="one@example.org") == other


def wish(place: Place, at: datetime, hour: int = 0, **said: object) -> Wish:
    starts_at = at + timedelta(hours=hour)
    return Wish(
        place=place,
        member=None,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        guest_name="Anna",
        **said,
    )


def test_booking_links_the_guest(desk, host, soon, now):
    first = services.book(wish(desk, soon, guest_contact="+44 20 7946 0018"), by=host, now=soon)
    second = services.request(
        wish(desk, soon, 2, guest_contact="0044 20 79460018, a@example.org"), by=host, now=soon
    )

    assert first.guest == second.guest
    assert Guest.objects.get().email == "a@example.org"


def test_what_a_guest_books_adds_nothing_to_what_is_known(desk, host, soon):
    services.book(wish(desk, soon, guest_contact="+44 20 7946 0018"), by=host, now=soon)

    public = wish(
        desk,
        soon,
        2,
        guest_contact="+44 20 7946 0018, thief@example.org",
        channel=Booking.Channel.GUEST,
    )
    assert services.book(public, by=None, now=soon).guest == Guest.objects.get()
    assert Guest.objects.get().email == ""


def test_a_refused_booking_makes_no_guest(desk, host, soon):
    with pytest.raises(Refused):
        services.book(wish(desk, soon, 20, guest_contact="anna@example.org"), by=host, now=soon)

    assert not Guest.objects.exists()


def test_a_member_is_no_guest(desk, alice, soon):
    booking = services.book(
        Wish(place=desk, member=alice, starts_at=soon, ends_at=soon + timedelta(hours=1)),
        by=alice,
        now=soon,
    )

    assert booking.guest is None


@pytest.mark.django_db(transaction=True)
def test_two_bookings_for_the_same_new_guest_make_one_row(space, host, soon):
    desks = list(space.places.order_by("number"))
    contact = "+44 20 7946 0018, anna@example.org"
    barrier = Barrier(len(desks))

    def book(place: Place) -> Booking:
        barrier.wait()
        try:
            return services.book(wish(place, soon, guest_contact=contact), by=host, now=soon)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(desks)) as pool:
        booked = list(pool.map(book, desks))

    assert {booking.state for booking in booked} == {State.CONFIRMED}
    assert {booking.guest for booking in booked} == {Guest.objects.get()}


def test_guests_are_suggested_while_somebody_types(desk, host, soon):
    space = desk.space
    Space.objects.filter(pk=space.pk).update(country="RU")
    anna = Guest.objects.create(
        space=space,
        name="Анна Петрова",
        phone="+7 900 123-45-67",
        phone_digits=ANNA,
        email="anna@example.org",
        allergies="nuts",
        created_at=soon,
    )
    Guest.objects.create(space=space, name="Boris", email="boris@example.org", created_at=soon)
    for hour, state in enumerate([State.COMPLETED, State.COMPLETED, State.NO_SHOW]):
        booking = services.book(
            wish(desk, soon, hour, guest_contact=ANNA, guest=anna), by=host, now=soon
        )
        Booking.objects.filter(pk=booking.pk).update(state=state)
    later = soon + timedelta(days=1)
    space.refresh_from_db()

    for text in [
        "анна",
        "Петр",
        "anna@",
        "8900123",
        "8 (900) 12",
        "+7 900",
        "900123",
        "007900",
        ANNA,
    ]:
        (found,) = suggestions(space, text, now=later)
        assert (found.guest, found.visits, found.no_shows) == (anna, 2, 1), text
    assert found.last_at == soon + timedelta(hours=1)
    assert suggestions(space, "12", now=later) == []
    assert suggestions(space, " ", now=later) == []
    assert suggestions(open_space(slug="bar", places=1), "anna", now=later) == []


def test_suggestions_cost_one_statement(space, now, django_assert_num_queries):
    for n in range(20):
        knowing.recognise(space, name=f"Anna {n}", phone="", email=f"{n}@example.org", now=now)

    with django_assert_num_queries(1):
        assert len(suggestions(space, "anna", now=now)) == knowing.MOST_SUGGESTED


def test_a_walk_in_who_leaves_a_phone_is_recognised(desk, host):
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    known = meet(desk.space, noon, phone="+44 20 7946 0018")
    seated = walk_in(
        desk,
        party_size=1,
        ends_at=noon + timedelta(hours=1),
        by=host,
        now=noon,
        guest_contact="0044 20 79460018",
    )

    assert seated.guest == known
