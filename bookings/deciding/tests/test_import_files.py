"""Files as spreadsheets write them: each is imported, or refused naming the line and the remedy.

Those named after LibreOffice were saved by it, with its options and languages; the others are what
Excel, Numbers, Google Sheets and people's editors write, byte for byte.
"""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bookings.deciding.cells import DateOrder
from bookings.deciding.importing import read, request
from bookings.deciding.sheets import FileError
from bookings.models import Booking
from spaces.factories import PolicyFactory, open_space

FOLDER = Path(__file__).parent / "files"
HEAD = "space,place,starts_at,ends_at,party_size,member,guest_name,guest_contact,note"
NOTE = 'Окно; "тихо", пожалуйста\nи чай'
TIMES = ("10:00", "12:00", "09:00", "11:00")
WESTERN = {"guest": "Zoë Müller", "note": 'Fenster; "leise", bitte\nund Tee'}


def table(
    separator=",",
    *,
    end="\n",
    day="2033-03-14",
    times=TIMES,
    between=" ",
    guest="Анна Ким",
    note=NOTE,
    tail="",
):
    """Write what LibreOffice's files say: desk 1 for alice, desk 2 for a guest with a note."""
    ten, twelve, nine, eleven = (f"{day}{between}{time}" for time in times)
    quoted = '"{}"'.format(note.replace('"', '""').replace("\n", end))
    rows = [
        HEAD.split(","),
        ["loft", "1", ten, twelve, "1", "alice", "", "", ""],
        ["loft", "2", nine, eleven, "2", "", guest, "+7 900 123-45-67", quoted],
    ]
    return "".join(separator.join(row) + tail + end for row in rows)


def of(encoding, text=None, mark=b""):
    return mark + (table() if text is None else text).encode(encoding)


#: Name: bytes and options of those that are imported.
GOOD = {
    **{
        f"{name}.csv": ((FOLDER / f"{name}.csv").read_bytes(), options)
        for name, options in {
            "libreoffice-comma": {},
            "libreoffice-comma-bom": {},
            "libreoffice-semicolon-quoted": {},
            "libreoffice-tab": {},
            "libreoffice-pipe": {},
            "libreoffice-german": {},
            "libreoffice-german-1252": {"encoding": "cp1252"},
            "libreoffice-russian-1251": {"encoding": "cp1251"},
            "libreoffice-koi8": {"encoding": "koi8-r"},
            "libreoffice-utf-16": {},
            "libreoffice-american": {"order": DateOrder.MONTH_FIRST},
            "libreoffice-british": {"order": DateOrder.DAY_FIRST},
            "libreoffice-japanese": {},
            "libreoffice-blank-rows": {},
            "libreoffice-not-as-shown": {},
        }.items()
    },
    "excel-utf-8": (of("utf-8-sig", table(end="\r\n")), {}),
    "excel-semicolon": (of("utf-8-sig", table(";", end="\r\n", day="14.03.2033")), {}),
    "excel-sep": (of("utf-8-sig", "sep=;\r\n" + table(";", end="\r\n")), {}),
    "excel-sep-comma": (of("utf-8", "sep=,\r\n" + table(end="\r\n")), {}),
    "excel-sep-quoted": (of("utf-8", '"sep=|"\r\n' + table("|", end="\r\n")), {}),
    "excel-sep-tab": (of("utf-8", "SEP=\t\r\n" + table("\t", end="\r\n")), {}),
    "excel-unicode-text": (of("utf-16", table("\t", end="\r\n")), {}),
    "excel-cp1251": (
        of("cp1251", table(";", end="\r\n", day="14.03.2033")),
        {"encoding": "cp1251"},
    ),
    "excel-mac-cr": (of("utf-8", table(end="\r")), {}),
    "excel-mac-cr-roman": (
        of("mac-roman", table(";", end="\r", **WESTERN)),
        {"encoding": "mac-roman"},
    ),
    "excel-dos": (of("cp866", table(";", end="\r\n")), {"encoding": "cp866"}),
    "excel-empty-columns": (of("utf-8", table(end="\r\n", tail=",,,")), {}),
    "excel-single-digit-hour": (
        of("utf-8", table(end="\r\n", times=("10:00", "12:00", "9:00", "11:00"))),
        {},
    ),
    "numbers": (of("utf-8", table(";", end="\r\n", day="14.03.2033", between=", ")), {}),
    "google": (
        of("utf-8", table(end="\r\n", times=("10:00:00", "12:00:00", "9:00:00", "11:00:00"))),
        {},
    ),
    "google-american": (
        of("utf-8", table(end="\r\n", day="3/14/2033")),
        {"order": DateOrder.MONTH_FIRST},
    ),
    "trailing-comma": (of("utf-8", table(tail=",")), {}),
    "blank-first-lines": (of("utf-8", "\n \n,,,\n\r\n" + table()), {}),
    "blank-lines-before-sep": (of("utf-8", "\n\nsep=;\n\n" + table(";")), {}),
    "utf-16-le-without-mark": (of("utf-16-le", table("\t")), {}),
    "utf-16-be-without-mark": (of("utf-16-be", table(end="\r\n")), {}),
    "utf-16-be": (of("utf-16-be", mark=b"\xfe\xff"), {}),
    "utf-32": (of("utf-32"), {}),
    "told-wrong": (of("utf-8"), {"encoding": "cp1251"}),
    "marked-and-told": (of("utf-8-sig"), {"encoding": "cp1251"}),
    "no-end": (of("utf-8", table().rstrip("\n")), {}),
    "program": (of("utf-8", table(between="T")), {}),
    "program-javascript": (
        of("utf-8", table(between="T", times=(f"{at}:00.000Z" for at in TIMES))),
        {},
    ),
    "program-database": (
        of("utf-8", table(times=(f"{at}:00.000000 +00:00" for at in TIMES))),
        {},
    ),
    "editor": (of("utf-8", table(", ").replace("starts_at, ends_at", " Starts at,ENDS-AT ")), {}),
    "no-break-spaces": (of("utf-8", table(between="\u00a0")), {}),
}


@pytest.fixture
def loft(alice):
    space = open_space(slug="loft", places=2)
    space.places.update(capacity=2)
    PolicyFactory.create(space=space, max_days_ahead=3660)
    return space


def at(hour):
    return datetime(2033, 3, 14, hour, tzinfo=UTC)


@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_imported(name, loft, alice):
    content, options = GOOD[name]
    asked = request(read(content, **options), by=None)
    rows = [
        (e.problems, e.booking and e.booking.place.number, e.booking and vars(e.booking))
        for e in asked
    ]
    assert [(problems, place) for problems, place, _ in rows] == [([], 1), ([], 2)]
    of_alice, of_guest = (values for *_, values in rows)
    assert (of_alice["starts_at"], of_alice["ends_at"]) == (at(10), at(12))
    assert (of_alice["member_id"], of_alice["party_size"]) == (alice.pk, 1)
    assert (of_guest["starts_at"], of_guest["ends_at"]) == (at(9), at(11))
    assert (of_guest["party_size"], of_guest["guest_contact"]) == (2, "+7 900 123-45-67")
    said = (of_guest["guest_name"], of_guest["note"])
    assert said in {("Анна Ким", NOTE), tuple(WESTERN.values())}


#: Name: bytes and options of files that can't be read at all, and the message.
UNREADABLE = {
    "cp1251": (of("cp1251"), {}, r"^Line 3 is not utf-8. Try --encoding=cp1251 .*“CSV UTF-8”"),
    "cp1252": (
        of("cp1252", table(";", **WESTERN)),
        {},
        r"^Line 3 is not utf-8. Try --encoding=cp1252 .*or --encoding=cp1251",
    ),
    "cp1251-of-a-mac": (of("cp1251", table(end="\r")), {}, r"^Line 3 is not utf-8"),
    "told-another": (
        b"place,guest_name\n1,\x98",
        {"encoding": "cp1251"},
        r"^Line 2 is not cp1251. Try",
    ),
    "half-a-letter": (
        of("utf-16-le", mark=b"\xff\xfe")[:-1],
        {},
        r"^Line 4 is not utf-16-le.*cut off",
    ),
    "xlsx": (b"PK\x03\x04\x14\x00\x06\x00", {}, "a workbook, not a text file.*“Save as”.*CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", {}, "a workbook, not a text"),
    "empty": (b"", {}, "empty: its first line names the columns"),
    "blank": (b"\xef\xbb\xbf\r\n;;;\r\n", {}, "empty: its first line names the columns"),
    "numbers-with-its-title": (
        of("utf-8", "Table 1\n" + table()),
        {},
        r"^Line 1 has to name the columns. Unknown columns: 'table_1'. There are: space, place",
    ),
    "pandas-with-its-index": (
        of("utf-8", "," + table().replace("\nloft", "\n0,loft")),
        {},
        r"^Line 1: column 1 has no name. Name it, or remove it.$",
    ),
    "no-head": (of("utf-8", table().partition("\n")[2]), {}, r"^Line 1 has to name the columns"),
    "open-quote": (
        of("utf-8", f'{HEAD}\nloft,1,,,,alice,,,\nloft,2,,,,alice,,,"by the\nloft,2,,,,,,,\n'),
        {},
        r"^Line 3 can’t be read: a quote \(\"\) opens there and never closes. Close it",
    ),
    "quote-in-a-text": (
        of("utf-8", f'{HEAD}\n\nloft,2,,,,alice,,,"the "best" place"\n'),
        {},
        r"^Line 3 can’t be read: write a quote \(\"\) inside a value twice",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_can_not_be_read_says_where_and_what_to_do(name):
    content, options, words = UNREADABLE[name]
    with pytest.raises(FileError, match=words):
        read(content, **options)


#: Name: a file whose second line is refused, its options, and the message.
REFUSED = {
    "american-untold": (
        table(day="03/14/2033"),
        {},
        "starts_at: “03/14/2033 09:00”: Is the day first",
    ),
    "american-told-european": (
        table(day="03/14/2033"),
        {"order": DateOrder.DAY_FIRST},
        "starts_at: This is not a date: write it like 2026-11-25.",
    ),
    "two-digit-year": (table(day="14.03.33"), {}, "Write the year in four digits, like 2026-11-25"),
    "half-days": (
        table(times=("10:00 AM", "12:00 PM", "9:00 am", "11:00 a.m.")),
        {},
        "starts_at: “2033-03-14 9:00 am”: Write the time by the 24-hour clock, like 13:00.",
    ),
    "serial-numbers": (
        table(day="48652", between="", times=(".416", ".5", ".375", ".458")),
        {},
        "“48652.375”: This is a spreadsheet’s own number: give the cell the format YYYY-MM-DD",
    ),
    "days-alone": (
        table(between="", times=("",) * 4),
        {},
        "The time is missing: write it like 2026",
    ),
    "times-alone": (table(day="", between=""), {}, "“09:00”: This is not a date and time: write"),
    "decimals": (
        table().replace(",1,alice", ",1.0,alice").replace(",2,,", ",2.0,,"),
        {},
        "party_size: “2.0”: Write a whole number in digits, such as 4.",
    ),
    "surplus": (table(tail=",more"), {}, "The line has more values than there are columns."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_line_that_can_not_be_read_says_what_to_do(name, loft):
    text, options, words = REFUSED[name]
    if name == "surplus":
        text = text.replace(HEAD + ",more", HEAD)
    entries = list(request(read(text.encode(), **options), by=None))
    assert [(e.line.number, [p.code for p in e.problems]) for e in entries] == [
        (2, ["invalid"]),
        (3, ["invalid"]),
    ]
    assert words in entries[1].problems[0].message


def test_there_are_forty_files_and_more():
    assert len(GOOD) + len(UNREADABLE) + len(REFUSED) >= 40


def test_the_command_takes_the_encoding_and_the_order_of_dates(loft, tmp_path):
    path = tmp_path / "from a till.csv"
    path.write_text(table(";", end="\r\n", day="14/03/2033"), "cp1251", newline="")
    output = StringIO()
    call_command("import_bookings", path, "--encoding=cp1251", "--dates=day-first", stdout=output)
    assert output.getvalue() == "2 lines: 2 booked, 0 refused; 0 of them asked for before\n"


@pytest.mark.parametrize("name", ["nonsense", "hex", "rot13", "a\0b", "undefined"])
def test_an_unknown_encoding_is_refused_and_known_ones_suggested(name, tmp_path):
    path = tmp_path / "some.csv"
    path.write_text(table())
    with pytest.raises(CommandError, match=r"not a text encoding. There are utf-8.*cp1251"):
        call_command("import_bookings", path, f"--encoding={name}")


@pytest.mark.parametrize(
    ("day", "hour", "ends_at"),
    [
        ("2033-03-14", "24:00", datetime(2033, 3, 15, tzinfo=UTC)),
        ("14.03.2033", "24:00:00", datetime(2033, 3, 15, tzinfo=UTC)),
        ("2033-03-14", "24:00+01:00", datetime(2033, 3, 14, 23, tzinfo=UTC)),
    ],
)
def test_24_00_is_the_end_of_the_day(loft, day, hour, ends_at):
    text = f"space,place,member,starts_at,ends_at\nloft,1,alice,{day} 20:00,{day} {hour}\n"
    (entry,) = request(read(text.encode()), by=None)
    assert entry.booking.ends_at == ends_at


def test_the_same_bookings_saved_again_by_another_program_are_booked_once(loft):
    first = list(request(read(GOOD["libreoffice-comma.csv"][0]), by=None))
    for name in ("excel-cp1251", "google", "excel-mac-cr", "numbers", "google-american"):
        content, options = GOOD[name]
        again = list(request(read(content, **options), by=None))
        assert [e.booking for e in again] == [e.booking for e in first], name
    assert Booking.objects.count() == 2
