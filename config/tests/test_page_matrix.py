"""Who may do what on the pages: every address, method and verb, for everybody.

The API has a table of its own: `test_api_matrix`. A row here is a method, the name of an address,
and where there are several what is posted; see `config.tests.page_rights` and `posted`.
"""

import re

import pytest
from django.db import connection
from django.urls import get_resolver, resolve

from accounts import invitations
from accounts.factories import UserFactory
from accounts.models import User
from bookings.deciding import links, waiting_links
from bookings.doors import DoorView
from bookings.models import Booking, WaitingParty
from bookings.staff import waiting
from bookings.staff.visits import VERBS
from config.tests.clock import Clock
from config.tests.garbage import PostedForms
from config.tests.page_rights import KEYS, ROWS
from config.tests.posted import SENT, about, call, sent
from config.tests.stage import DAY, NOON, Venue, sessions
from config.tests.walk import PARAMETER, addresses, browser, path_of, undone
from config.tests.watching import Writes
from spaces.models import Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ROUTES = {
    name: route
    for name, route in addresses(get_resolver().url_patterns)
    if not route.startswith(("admin/", "api/"))
}
ACTORS = list(ROWS["GET staff_day"])
REFUSED = {"login", "403", "404", "405"}
INSIDERS = {"host", "manager", "boss"}

#: The address is the secret: whoever has it may.
BY_KEY = {row.split()[1] for row in KEYS}


@pytest.fixture
def loft(db: None, clock: Clock) -> Venue:
    clock.now = NOON
    return Venue("Loft", UserFactory.create(username="alice"), NOON)


@pytest.fixture
def away(loft: Venue) -> Venue:
    return Venue("Away", UserFactory.create(username="carol"), NOON)


@pytest.fixture
def people(loft: Venue, away: Venue) -> dict[str, str]:
    return sessions(loft, away)


def path(row, venue, of=None):
    """Return a row's address in a space, about rows of that space or of another."""
    name, of = row.split()[1], of or venue
    if name == "join":
        return f"/join/{invitations.key_of(of.rows['invitation'])}/"
    booking = about(row, of)
    link = {"guestlink": of.link_to(booking)} if booking.member is None else {}
    found = path_of(ROUTES[name], {**of.rows, **link, "booking": booking})
    return found.replace("/loft/", f"/{venue.space.slug}/")


def ask(client, row, path, fields):
    """Ask as a row says, and undo what that did."""
    with undone():
        return answer(client, row, path, fields)


def answer(client, row, path, fields):
    """Return the answer in a word, and the page."""
    headers = {"HX-Request": "true"} if row.endswith(" live") else {}
    method = client.post if row.startswith("POST") else client.get
    writes = Writes()
    with connection.execute_wrapper(writes):
        page = method(path, fields, headers=headers)
    # Tries are counted, whatever becomes of them.
    return in_a_word(page, is_written=any("tally" not in each for each in writes.statements)), page


def in_a_word(page, *, is_written):
    onward = page.get("Location", page.get("HX-Redirect", ""))
    word = "ok" if page.status_code == 200 else str(page.status_code)
    if onward.startswith("/accounts/login/"):
        word = "login"
    elif onward:
        word = "done" if is_written else "led"
    assert not (is_written and word in REFUSED), f"{word}, but something was written"
    return word


def test_everybody_gets_the_expected_answer(loft, people, subtests):
    """And outsiders see no name of a guest, whatever the answer is."""
    for row, expected in ROWS.items():
        with subtests.test(row):
            there, fields, found = path(row, loft), sent(row, loft), {}
            for who in ACTORS:
                found[who], page = ask(browser(people, who), row, there, fields)
                if who not in INSIDERS and row.split()[1] not in BY_KEY:
                    assert "Anna of Loft" not in page.text
            assert found == expected, written(row, found)


def written(row, found):
    """Return a line for the table; read it before you copy it there."""
    return f"{row:<29}" + "".join(f"{found[who]:<8}" for who in ACTORS).rstrip()


def test_keys_open_what_they_are_for(loft, away, people, subtests):
    for row, expected in KEYS.items():
        for who in ("nobody", "manager"):
            with subtests.test(f"{row}, {who}"):
                found = {key: by_key(key, row, loft, away, people.get(who)) for key in expected}
                assert found == expected


def by_key(key, row, loft, away, session):
    """Return the answer to who has a right address, or one that is wrong in some way."""
    name = row.split()[1]
    if (name == "door" and key in {"expired", "member"}) or ("waiting" in name and key == "member"):
        return "-"
    client = browser({"who": session} if session else {}, "who")
    with undone():
        there, fields = path(row, loft), sent(row, loft)
        if key == "wrong":
            there = there.replace(there.split("/")[2], "A" * 43)
        elif key == "other":
            there, fields = path(row, away), sent(row, away)
        elif key != "right":
            CHANGES[key](about(row, loft), loft.rows["doorview"])
        before = states(loft)
        found, page = answer(client, row, there, fields)
        if key not in {"right", "hidden"}:
            assert "Anna of Loft" not in page.text
            assert states(loft) == before
        return found


def expire(booking, _door):
    long_ago = {"starts_at": booking.starts_at - 20 * DAY, "ends_at": booking.ends_at - 20 * DAY}
    Booking.objects.filter(pk=booking.pk).update(**long_ago)
    WaitingParty.objects.update(created_at=booking.created_at - 20 * DAY)


def revoke(booking, door):
    links.revoke(booking, now=NOON)
    DoorView.objects.filter(pk=door.pk).delete()
    for party in WaitingParty.objects.all():
        waiting_links.revoke(party, now=NOON)


def hide(booking, _door):
    Space.objects.filter(pk=booking.place.space_id).update(is_active=False)


def give_away(booking, _door):
    Booking.objects.filter(pk=booking.pk).update(member=User.objects.get(username="bob"))


CHANGES = {"expired": expire, "revoked": revoke, "hidden": hide, "member": give_away}


def states(venue):
    return list(Booking.objects.in_space(venue.space).order_by("pk").values())


def test_every_address_method_and_verb_is_in_the_table(loft, people):
    boss, missing = browser(people, "boss"), []
    for name in ROUTES:
        with undone():
            allowed = boss.generic("BREW", path(f"GET {name}", loft)).get("Allow", "")
        for method in {*allowed.split(", ")} - {"HEAD", "OPTIONS"}:
            if not any(row.split()[:2] == [method, name] for row in ROWS):
                missing.append(f"{method} {name}")
    missing += [row for row in SENT if row not in ROWS]
    verbs = [f"POST staff_visit {verb}" for verb in VERBS]
    verbs += [f"POST staff_waiting_act {verb}" for verb in waiting.VERBS]
    missing += [row for row in verbs if row not in ROWS]
    assert missing == []


def test_nothing_of_one_space_at_an_address_of_another(loft, away, people, subtests):
    """Not even by a person who runs both, in whichever of them."""
    for row in ROWS:
        names = {found[1] or found[2] for found in PARAMETER.finditer(ROUTES[row.split()[1]])}
        if "slug" not in names or not names & {"code"}:
            continue
        for who in ("both", "boss"):
            with subtests.test(f"{row}, {who}"):
                there = path(row, away, of=loft)
                found, page = ask(browser(people, who), row, there, sent(row, loft))
                assert found == "404"
                assert "Anna of Loft" not in page.text


def test_no_page_of_a_space_mixes_in_another(loft, away, people):
    """For a person who runs both."""
    client = browser(people, "both")
    for row in ROWS:
        if row.startswith("GET") and "slug" in ROUTES[row.split()[1]]:
            page = ask(client, row, path(row, away), {"q": "Anna", "guest_name": "Anna"})[1]
            assert "Anna of Loft" not in page.text


def test_nothing_of_one_space_in_a_form_of_another(loft, away, people, subtests):
    """Whether the address names the space, or is the secret."""
    tried = set()
    for row in ROWS:
        theirs = sent(row, loft)
        if not row.startswith("POST") or theirs == sent(row, away) or not is_in_a_space(row):
            continue
        tried.add(row)
        for who in ("both", "boss"):
            with subtests.test(f"{row}, {who}"):
                assert ask(browser(people, who), row, path(row, away), sent(row, away))[0] in DONE
                found, page = ask(browser(people, who), row, path(row, away), theirs)
                assert found in {"404", "409", "422", "led"}
                assert "Anna of Loft" not in page.text
    assert len(tried) > 15


DONE = {"done", "201", "led"}


def is_in_a_space(row):
    return "slug" in ROUTES[row.split()[1]] or row.split()[1] in BY_KEY


def test_a_guest_of_another_space_is_a_stranger(loft, away, people):
    fields = {**call(away), "choice": call(loft)["choice"]}
    page = browser(people, "both").post(path("POST staff_phone", away), fields)
    booking = Booking.objects.latest("pk")
    assert page["Location"].endswith(f"{booking.code}/")
    assert booking.guest is None or booking.guest.space == away.space


@pytest.mark.parametrize("row", ["POST staff_walk_in", "POST staff_phone"])
def test_a_form_that_was_sent_in_another_space_is_refused(loft, away, people, row):
    """Its key made a booking there; nothing of that is told here."""
    client, key = browser(people, "both"), {"request_key": "once"}
    made = client.post(path(row, loft), {**sent(row, loft), **key})
    code = re.search(UUID, made["Location"])[0]
    page = client.post(path(row, away), {**sent(row, away), **key})
    assert page.status_code in {409, 422}
    assert code not in page.text


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def test_every_form_that_names_a_row_is_tried(loft, people):
    """Those of the pages, with the fields in which a code stands."""
    known = {(row.split()[1], name) for row in SENT for name in coded(sent(row, loft).items())}
    known |= {("staff_visit", verb) for verb in (*VERBS, "undo")}
    known |= {("staff_waiting_act", verb) for verb in waiting.VERBS}
    known |= {(name, "request_key") for name in ROUTES}  # nobody's row
    found = set()
    for row in ROWS:
        if row.startswith("GET") and is_in_a_space(row):
            here = path(row, loft)
            page = browser(people, "boss").get(here)
            for action, fields in PostedForms(page.text).found:
                name = resolve(action or here).url_name
                found |= {(name, field) for field in coded(fields)}
    assert len(found) > 5
    assert found - known == set()


def coded(fields):
    return {name for name, value in fields if UUID.search(str(value))}
