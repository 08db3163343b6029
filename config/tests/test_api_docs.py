"""The documentation for programmers is true: docs/api.md, the example client, the pages."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from accounts.api.problems import KINDS
from accounts.factories import UserFactory
from bookings.deciding.rules import REASONS
from bookings.models import Booking
from config.api import api
from spaces.factories import open_space

TEXT = (settings.BASE_DIR / "docs/api.md").read_text()
SITE = "http://127.0.0.1:8000"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def rows(heading):
    """Return the cells of the first table below a heading, without its header."""
    below = TEXT.partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)[0]
    return [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]


@pytest.fixture
def tverskaya(transactional_db):
    """What the examples refer to: a space, and a member with a password."""
    member = UserFactory.create(username="member")
    member.set_password("mesto-demo")
    member.save()
    return open_space(slug="tverskaya", time_zone="Europe/Moscow", places=5)


def test_every_problem_is_listed_and_nothing_else():
    assert [row[:2] for row in rows("## Problems")] == [
        [kind.code, str(int(kind.status))] for kind in KINDS.values()
    ]


def test_every_rule_is_listed_and_nothing_else():
    assert rows("### Rules") == [[code, str(meaning)] for code, meaning in REASONS.items()]


def test_every_operation_is_listed_and_nothing_else():
    listed = set(re.findall(r"`(GET|POST|PATCH|DELETE) (/[^`]*)`", TEXT.partition("\n## ")[0]))
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    assert listed == described


def test_the_schema_is_in_one_language():
    with translation.override("ru"):
        assert not re.search("[А-я]", json.dumps(api.get_openapi_schema(), default=str))


def test_every_field_and_parameter_is_described():
    document = api.get_openapi_schema()
    fields = {
        f"{name}.{field}": content.get("description")
        for name, schema in document["components"]["schemas"].items()
        for field, content in schema.get("properties", {}).items()
    }
    parameters = {
        f"{operation['operationId']}({parameter['name']})": parameter.get("description")
        for methods in document["paths"].values()
        for operation in methods.values()
        for parameter in operation["parameters"]
    }
    assert [name for name, words in {**fields, **parameters}.items() if not words] == []


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_the_examples_for_curl(live_server, tverskaya, soon):
    known = {
        "MESTO": f"{live_server}/api/v1",
        "STARTS": soon.isoformat(),
        "ENDS": (soon + timedelta(hours=2)).isoformat(),
        "LATER": (soon + timedelta(hours=3)).isoformat(),
    }
    states = []
    for block in blocks("sh"):
        if "Prefer: wait" in block:
            call_command("worker", once=True)
        run = subprocess.run(
            ["sh", "-euc", block], env={**os.environ, **known}, capture_output=True, check=True
        )
        answer = json.loads(run.stdout)
        assert answer.get("errors", answer.get("problem")) is None, (block, answer)
        states.append(answer.get("state"))
        found = answer.get("free_places", [{}])[0]
        known |= {"TOKEN": answer["token"]} if "token" in answer else {}
        known |= {"PLACE": found["code"]} if "code" in found else {}
        known |= {"BOOKING": answer["code"]} if "state" in answer else {}
    told = [state for state in states if state]
    assert told == ["CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED", "CREATED", "CONFIRMED"]


def test_the_examples_for_python(live_server, tverskaya, capsys):
    program = "\n".join(blocks("python")).replace(SITE, live_server.url)
    names = {}
    exec(compile(program, "docs/api.md", "exec"), names)
    again = names["send"]("/bookings", {"place": names["free"][1]["code"], **names["times"]})
    names["mesto"].close()
    assert capsys.readouterr().out.startswith("CONFIRMED\n")
    assert (again.status_code, again.json()["state"]) == (201, "CONFIRMED")


def test_the_example_client_completes_its_tour(live_server, tverskaya):
    command = [sys.executable, "examples/api_client.py", live_server.url, "member", "mesto-demo"]
    run = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert run.stderr == ""
    did = [line.split()[0] for line in run.stdout.splitlines()]
    assert did == ["Booked", "Read", "Moved", "Cancelled", "Listed"]
    assert Booking.objects.get().state == "CANCELLED"


def test_the_example_client_says_what_is_wrong(live_server, tverskaya):
    command = [sys.executable, "examples/api_client.py", live_server.url, "member", "wrong"]
    run = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (
        1,
        "wrong_credentials: Login or password is wrong. "
        "Wrong attempts count together with those on the login page.\n",
    )


@pytest.mark.django_db
def test_a_problem_links_to_its_explanation(client):
    problem = client.get("/api/v1/nowhere").json()
    page, _hash, anchor = problem["type"].partition("#")
    answer = client.get(page)
    assert answer.status_code == 200
    assert f'id="{anchor}"' in answer.text


@pytest.mark.django_db
def test_the_page_explains_every_code(client):
    page = client.get("/api/v1/problems").text
    explained = re.findall(r'<div [^>]*id="(?:rule-)?(\w+)"', page)
    assert explained == [*KINDS, *REASONS]


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["docs", "openapi.json", "problems"])
def test_the_pages_only_show(client, page):
    assert client.post(f"/api/v1/{page}").status_code == 405
    assert client.get(f"/api/v1/{page}").status_code == 200


@pytest.mark.django_db
def test_the_pages_need_no_other_server(client):
    for page in ("docs", "problems"):
        assert not re.search(r'(src|href)="(https?:)?//', client.get(f"/api/v1/{page}").text)
