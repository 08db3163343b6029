"""Members go out into a file and come in from one: seen first, then all of it or nothing."""

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from accounts import tries
from accounts.factories import TierFactory, UserFactory
from accounts.joining import Invitation, TierMember
from bookings.tests.acts import book, hours

pytestmark = pytest.mark.django_db

FILE, OUT = "/staff/loft/members/file/", "/staff/loft/members/members.csv"


@pytest.fixture
def desk_of(manager):
    client = Client()
    client.force_login(manager)
    return client


@pytest.fixture
def house(space, alice, bob, desk, soon):
    """Alice is part-time, Bob has only booked; the address of Alice is hers."""
    part, night = (TierFactory.create(space=space, name=name) for name in ("Part-time", "Ночь"))
    alice.email, alice.email_confirmed_at = "alice@example.org", alice.date_joined
    alice.save()
    TierMember.objects.create(tier=part, user=alice)
    book(desk, bob, soon - hours(24), soon)
    return part, night


def upload(client, content, name="members.csv"):
    content = content.encode() if isinstance(content, str) else content
    return client.post(FILE, {"file": SimpleUploadedFile(name, content)})


def confirm(client, page):
    text = unescape(re.search(r'name="lines" hidden>\r?\n(.*?)</textarea>', page.text, re.S)[1])
    shown = re.search('name="shown" value="([^"]*)"', page.text)[1]
    return client.post(FILE, {"lines": text, "shown": shown}, follow=True)


def tiers():
    rows = TierMember.objects.values_list("user__username", "tier__name")
    return sorted(rows)


def invited():
    return sorted(Invitation.objects.values_list("email", "tier__name"))


def test_what_goes_out_comes_in_and_changes_nothing(desk_of, house, space):
    """Also names that look like formulas, and logins that begin like one."""
    odd = TierFactory.create(space=space, name="=cmd|' /C calc'!A1")
    person = UserFactory.create(username="@home", name='+1, "quoted"\tname')
    for tier in (odd, *house):
        TierMember.objects.create(tier=tier, user=person)
    before = tiers()
    file = desk_of.get(OUT)
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    lines = file.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "login,name,email,tiers"
    assert all(line[0] not in "=+-@" for line in lines)
    page = upload(desk_of, file.content)
    plan = page.context["plan"]
    assert (plan.unchanged, plan.changes_nothing, plan.wrong) == (3, True, [])
    assert "nothing changes" in page.text
    assert tiers() == before


def test_a_file_is_shown_first_and_then_done_whole(desk_of, house):
    text = "login,email,tiers\nalice,,Ночь\n,New@example.org,part-time; Ночь\nbob,,\n"
    page = upload(desk_of, text)
    plan = page.context["plan"]
    assert page.status_code == 200
    assert (len(plan.moves), len(plan.invites), plan.unchanged) == (1, 2, 1)
    for words in ("1 member changes tiers.", "2 invitations are sent.", "1 line changes nothing."):
        assert words in page.text
    assert (tiers(), invited()) == ([("alice", "Part-time")], [])
    done = confirm(desk_of, page)
    assert "The members are as in the file." in done.text
    assert tiers() == [("alice", "Ночь")]
    assert invited() == [("New@example.org", "Part-time"), ("New@example.org", "Ночь")]
    again = upload(desk_of, text)
    assert again.context["plan"].changes_nothing
    assert "nothing changes" in again.text


def test_a_second_press_does_nothing_twice(desk_of, house):
    page = upload(desk_of, "email,tiers\nnew@example.org,Ночь\n")
    confirm(desk_of, page)
    before = Invitation.objects.get()
    assert "The members are as in the file." in confirm(desk_of, page).text
    assert Invitation.objects.get().digest == before.digest


def test_what_changed_meanwhile_is_shown_again(desk_of, house, bob):
    page = upload(desk_of, "login,tiers\nbob,Ночь\n")
    TierMember.objects.create(tier=house[0], user=bob)
    again = confirm(desk_of, page)
    assert "Something has changed meanwhile" in again.text
    assert tiers() == [("alice", "Part-time"), ("bob", "Part-time")]
    confirm(desk_of, again)
    assert tiers() == [("alice", "Part-time"), ("bob", "Ночь")]


def test_wrong_lines_say_what_to_do_and_hold_up_all(desk_of, house):
    stranger = UserFactory.create(username="stranger", email="stranger@example.org")
    page = upload(
        desk_of,
        "login,email,tiers\n"
        "alice,,Ночь\n"
        "stranger,,Ночь\n"
        ",not-an-address,Ночь\n"
        ",,Ночь\n"
        "bob,,Nights\n"
        "ALICE,,\n"
        ",new@example.org,\n",
    )
    assert page.status_code == 422
    assert [(line.number, line.remedy[:35]) for line in page.context["plan"].wrong] == [
        (3, "Nobody here has the login “stranger"),
        (4, "“not-an-address” is no e-mail addre"),
        (5, "Whom is it about? Give a login or a"),
        (6, "There is no tier “Nights”. Make it "),
        (7, "Line 2 is about the same person. Le"),
        (8, "Nobody here has this address. Name "),
    ]
    assert "6 lines can" in page.text
    assert "Do all of it" not in page.text
    assert tiers() == [("alice", "Part-time")]
    assert not stranger.tiers.exists()


def test_an_address_says_nothing_of_accounts_elsewhere(desk_of, house):
    """Whoever has an account is invited like anybody else, unless they are a member here."""
    UserFactory.create(username="known", email="known@example.org")
    text = "email,tiers\nknown@example.org,Ночь\nunknown@example.org,Ночь\nALICE@example.org,\n"
    page = upload(desk_of, text)
    assert [invite.email for invite in page.context["plan"].invites] == [
        "known@example.org",
        "unknown@example.org",
    ]
    assert [move.user.username for move in page.context["plan"].moves] == ["alice"]


TABLE = [["Login", "Name", "E-mail", "Tiers"], ["alice", "Алиса", "", "Ночь"]]


def written(separator=",", ending="\r\n", encoding="utf-8", before=""):
    head = ["login", "name", "email", "tiers"]
    return (before + ending.join(separator.join(row) for row in [head, *TABLE[1:]])).encode(
        encoding
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(written(), id="Google"),
        pytest.param(written(";", encoding="utf-8-sig"), id="Excel, CSV UTF-8"),
        pytest.param(written(";", encoding="cp1251"), id="Excel, CSV in Russian Windows"),
        pytest.param(written("\t", encoding="utf-16"), id="Excel, Unicode text"),
        pytest.param(written(";", before="sep=;\r\n"), id="with the separator named"),
        pytest.param(written(ending="\n"), id="LibreOffice, Numbers"),
        pytest.param(written(ending="\r"), id="an old Mac"),
        pytest.param(
            b"\n\nLOGIN,tiers,\n" + 'alice,"Ночь",\n,,\n'.encode(), id="blank lines and commas"
        ),
    ],
)
def test_it_is_read_however_a_spreadsheet_wrote_it(desk_of, house, content):
    page = upload(desk_of, content)
    assert page.status_code == 200, page.text
    confirm(desk_of, page)
    assert tiers() == [("alice", "Ночь")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Line 1 has to name the columns"),
        (b"login,group\nalice,x\n", "It says: login, group."),
        (b"login,tiers\nalice,a,b\n", "Line 2 has more values than there are columns."),
        (b'login,tiers\nalice,"a\n', "Line 2 can’t be read"),
        (b"PK\x03\x04rest", "This is a workbook"),
        (b"login,tiers\n" + b"a,\n" * 2_001, "more than 2000 lines"),
        (b"x" * 1_000_001, "The file is too large."),
        (b"login,tiers\nali\0ce,\0\n", "a character that isn’t text"),
    ],
)
def test_what_is_no_such_file_is_refused_with_advice(desk_of, house, content, said):
    page = upload(desk_of, content or b"\n")
    assert page.status_code == 422
    assert said in unescape(page.text)


def test_it_speaks_russian(desk_of, house):
    with translation.override("ru"):
        page = desk_of.post(
            FILE,
            {"file": SimpleUploadedFile("m.csv", b"PK\x03\x04")},
            headers={"accept-language": "ru"},
        )
    assert "This is" not in page.text


@pytest.mark.parametrize("local", ["x" * 60, "é" * 60])
def test_an_address_that_is_too_long_is_said_of_its_line(desk_of, house, local):
    address = f"{local}@{'.'.join(['y' * 60] * 4)}.example.org"
    page = upload(desk_of, f"email,tiers\n{address},Part-time\n")
    assert page.status_code == 422
    assert [each.number for each in page.context["plan"].wrong] == [2]
    assert invited() == []


def test_tiers_whose_names_differ_only_where_letters_are_folded_stay_two(desk_of, house, space):
    """The database lets both be: its small letters aren't Python's."""
    both = [TierFactory.create(space=space, name=name) for name in ("Straße", "Strasse")]
    for tier, name in zip(both, ("anna", "boris"), strict=True):
        person = UserFactory.create(username=name)
        TierMember.objects.create(tier=tier, user=person)
    page = upload(desk_of, desk_of.get(OUT).content)
    plan = page.context["plan"]
    assert (plan.unchanged, plan.changes_nothing, plan.wrong) == (4, True, [])
    page = upload(desk_of, "login,tiers\nanna,STRASSE\n")
    assert [each.number for each in page.context["plan"].wrong] in ([2], [])
    assert upload(desk_of, "login,tiers\nanna,\n").context["plan"].moves[0].leaves == (both[0],)


@pytest.mark.parametrize(
    "line", ["alice,A\0,,Part-time", "a\0,,,Part-time", ",,a\0@example.org,Ночь"]
)
def test_what_is_no_text_is_said_of_its_line(desk_of, house, line):
    page = upload(desk_of, f"login,name,email,tiers\n{line}\n")
    assert page.status_code == 422
    assert "a character that isn" in page.text
    assert "\0" not in page.text
    assert invited() == []


def test_a_tier_that_is_deleted_at_that_moment(desk_of, house, monkeypatch):
    """It is shown again; nothing is done."""
    page = upload(desk_of, "email,tiers\nvera@example.org,Ночь\n")
    at_the_last_moment(monkeypatch, house[1].delete)
    answer = confirm(desk_of, page)
    assert answer.status_code == 409
    assert "Something has changed meanwhile" in answer.text
    assert invited() == []


def at_the_last_moment(monkeypatch, act):
    """Let somebody else do something when all has been read."""
    spend = tries.spend

    def spent(*args, **kwargs):
        act()
        return spend(*args, **kwargs)

    monkeypatch.setattr(tries, "spend", spent)
