"""The page of a space's numbers, and its files."""

import csv
import re
from datetime import date, timedelta
from io import StringIO

import pytest
from django.urls import reverse

from bookings.finding import stretch
from bookings.finding.stretch import Days
from bookings.finding.tables import TABLES
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.words.spreadsheets import defused, written
from config.tests.garbage import SCRIPT

PAGE = "/staff/loft/numbers/"


@pytest.fixture
def at_loft(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def booked(desk, alice, soon):
    """A booking of somebody with a formula for a name, the day after tomorrow at ten."""
    return book(desk, alice, soon - hours(24), soon, guest_name="=1+1", party_size=1)


def of(day):
    return {"from": f"{day:%Y-%m-%d}", "to": f"{day:%Y-%m-%d}"}


def rows_of(answer):
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))


def test_the_page_says_it_in_charts_and_in_tables(at_loft, booked, soon):
    page = at_loft.get(PAGE, of(soon))
    assert page.status_code == 200
    weekday = soon.weekday()
    # Two of three desks' fourteen hours are 2 of 42.
    assert "2 of 42 h" in page.text
    cells = re.findall(r'<tr><th scope="row">10:00</th>(.*?)</tr>', page.text)
    assert re.findall("<td>(.*?)</td>", cells[0])[weekday] == "33% (1 of 3 h)"
    assert page.text.count('<svg class="chart') == 4
    assert "Nothing in these days." in page.text  # no refusals


def test_every_picture_has_a_title_and_a_sentence(at_loft, booked, soon):
    page = at_loft.get(PAGE, of(soon)).text
    pictures = re.findall(r'<svg class="chart.*?</svg>', page, re.DOTALL)
    for picture in pictures:
        assert 'role="img"' in picture
        ids = re.search('aria-labelledby="(.*?)"', picture)[1].split()
        assert all(re.search(f'<(title|desc) id="{each}">[^<]+<', picture) for each in ids)
    assert "style=" not in page


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_a_file(at_loft, booked, soon, table):
    answer = at_loft.get(f"{PAGE}{table}.csv", of(soon))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    day = f"{soon:%Y-%m-%d}"
    assert answer["Content-Disposition"] == f'attachment; filename="loft-{table}-{day}-{day}.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "no-store" in answer["Cache-Control"]
    head, *rows = rows_of(answer)
    assert all(len(row) == len(head) for row in rows)


def test_a_file_has_the_numbers_of_the_page(at_loft, booked, soon):
    head, row = rows_of(at_loft.get(f"{PAGE}days.csv", of(soon)))
    assert head == [
        *("Day", "Bookings", "Visitors", "Came", "No-shows", "No-shows, %", "Cancelled"),
    ]
    assert row == [f"{soon:%Y-%m-%d}", "1", "1", "0", "0", "", "0"]
    full = [row for row in rows_of(at_loft.get(f"{PAGE}hours.csv", of(soon))) if row[2] == "1.0"]
    assert [row[1:] for row in full] == [
        ["10:00", "1.0", "3.0", "33.3"],
        ["11:00", "1.0", "3.0", "33.3"],
    ]


def test_in_russian(at_loft, booked, soon):
    page = at_loft.get(PAGE, of(soon), headers={"Accept-Language": "ru"})
    assert "Цифры" in page.text
    [head, _row] = rows_of(
        at_loft.get(f"{PAGE}days.csv", of(soon), headers={"Accept-Language": "ru"})
    )
    assert head[0] == "День"


@pytest.mark.parametrize(
    "cell",
    [
        *["=1+1", "+7 495", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "＝1"],
        *["\u200b=1", "\ufeff=1", "\u3000=1", "\u202e-1", "\u2800@A1"],
    ],
)
def test_what_would_be_a_formula_is_text(cell):
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Desk 1", "1 = 1", "", 5, -5, 0.5, None, "–"])
def test_the_rest_stays_as_it_is(cell):
    assert defused(cell) == cell


def test_a_file_keeps_commas_quotes_and_lines_in_their_cell():
    rows = [["a,b", 'c"d', "e\nf", None, 1.5]]
    assert list(csv.reader(StringIO(written(rows).decode("utf-8-sig"), newline=""))) == [
        ["a,b", 'c"d', "e\nf", "", "1.5"]
    ]


# --- Which days


WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, "2026-11-23", "2026-11-29"),
        ({"period": "this-week"}, "2026-11-23", "2026-11-29"),
        ({"period": "last-week"}, "2026-11-16", "2026-11-22"),
        ({"period": "this-month"}, "2026-11-01", "2026-11-30"),
        ({"period": "last-month"}, "2026-10-01", "2026-10-31"),
        ({"period": "last-90-days"}, "2026-08-28", "2026-11-25"),
        ({"from": "2024-02-29", "to": "2024-02-29"}, "2024-02-29", "2024-02-29"),
        ({"from": "2026-11-20"}, "2026-11-20", "2026-11-25"),
        ({"to": "2026-11-20"}, "2026-11-20", "2026-11-20"),
        ({"from": "2027-01-01", "to": "2028-01-01"}, "2027-01-01", "2028-01-01"),
        ({"period": "last-week", "from": "2026-11-20"}, "2026-11-20", "2026-11-25"),
    ],
)
def test_the_address_names_the_days(query, first, last):
    found = stretch.asked(query, WEDNESDAY)
    assert found.days == Days(date.fromisoformat(first), date.fromisoformat(last))
    assert found.errors == ()


@pytest.mark.parametrize("name", stretch.NAMED)
def test_days_that_have_a_name_are_marked_with_it_when_they_are_typed(name):
    days = stretch.asked({"period": name}, WEDNESDAY).days
    typed = {"from": str(days.first), "to": str(days.last)}
    assert stretch.asked(typed, WEDNESDAY).name == name
    typed["to"] = str(days.last - timedelta(days=1))
    assert stretch.asked(typed, WEDNESDAY).name == ""


def test_months_have_their_own_length():
    assert stretch.asked({"period": "last-month"}, date(2028, 3, 31)).days == Days(
        date(2028, 2, 1), date(2028, 2, 29)
    )


@pytest.mark.parametrize(
    "query",
    [
        {"period": "next-year"},
        {"from": "2026-11-25", "to": "2026-11-24"},
        {"from": "2026-11-25", "to": "2027-11-26"},
        {"from": "25.11.2026"},
        {"to": SCRIPT},
        {"from": "1999-12-31"},
    ],
)
def test_other_days_are_refused_and_this_week_is_shown(at_loft, query):
    page = at_loft.get(PAGE, query)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert 'aria-current="page">This week' in page.text
    assert at_loft.get(f"{PAGE}days.csv", query).status_code == 404


def test_the_days_are_those_of_the_space(at_loft, space, clock):
    type(space).objects.update(time_zone="Pacific/Kiritimati")  # fourteen hours ahead
    today = (clock.now + hours(14)).date()
    first = today - timedelta(days=today.weekday())
    assert f'value="{first:%Y-%m-%d}"' in at_loft.get(PAGE).text


# --- Wrong addresses


def test_no_other_table(at_loft, space):
    assert at_loft.get(f"{PAGE}people.csv").status_code == 404


def test_statements_are_the_same_however_much_is_booked(
    at_loft, booked, space, alice, soon, django_assert_num_queries
):
    path = reverse("staff_numbers", args=["loft"])
    at_loft.get(path, of(soon))
    for n in range(1, 4):
        book(space.places.get(number=2), alice, soon - hours(24), soon + hours(2 * n))
    # The person with session, the set-up's stamp, the numbers, and what was refused at once.
    with django_assert_num_queries(7):
        at_loft.get(path, of(soon))


def test_names_of_people_are_nowhere(at_loft, booked, soon):
    Booking.objects.update(state=State.NO_SHOW)
    page = at_loft.get(PAGE, of(soon)).text
    assert "alice" not in page
    assert "=1+1" not in page
