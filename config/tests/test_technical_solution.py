"""The technical solution keeps its word: its examples are run, its tests and figures exist."""

import ast
import json
import re
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from bookings.states import TRANSITIONS
from spaces.factories import open_space

DOCS = settings.BASE_DIR / "docs"
PAGES = {
    name: (DOCS / name).read_text()
    for name in ("technical-solution.en.md", "technical-solution.md")
}
ENGLISH, RUSSIAN = PAGES.values()

EXAMPLE = re.compile(r"```http\n(.*?)```", re.DOTALL)
TEST = re.compile(r"\b((?:\w+/)+test_\w+\.py)::((?:\w+::)?\w+)")
#: What is different in every run: codes and tokens.
OF_THE_RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|mesto_[\w-]+")
MORE = "…"

each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)

pytestmark = pytest.mark.any_database


def filled(text, names):
    """Put what this run calls it in place of what the page calls it."""
    return OF_THE_RUN.sub(lambda found: names.get(found[0], found[0]), text)


def is_as_told(told, said, names):
    """Compare an answer with the page's, which leaves out what stands behind an ellipsis."""
    if isinstance(told, dict):
        members = told.keys() - {MORE}
        return (members == said.keys() or (MORE in told and members <= said.keys())) and all(
            is_as_told(told[name], said[name], names) for name in members
        )
    if isinstance(told, list):
        if MORE in told:
            told, said = told[:-1], said[: len(told) - 1]
        return len(told) == len(said) and all(
            is_as_told(one, other, names) for one, other in zip(told, said, strict=True)
        )
    if isinstance(told, str) and isinstance(said, str):
        for name, value in zip(OF_THE_RUN.findall(told), OF_THE_RUN.findall(said), strict=False):
            names.setdefault(name, value)
        return filled(told, names) == said
    return told == said


def parts(example):
    head, _blank, body = example.partition("\n\n")
    first, *headers = head.strip().splitlines()
    return first, dict(line.split(": ", 1) for line in headers), body.strip()


@pytest.mark.django_db
def test_the_examples_are_what_the_api_answers(clock):
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    open_space(slug="tverskaya", name="Tverskaya", time_zone="Europe/Moscow", places=2)
    examples = EXAMPLE.findall(ENGLISH)
    names = {}
    for asked, told in zip(examples[::2], examples[1::2], strict=True):
        line, headers, body = parts(filled(asked, names))
        method, address = line.split(" ")
        answer = Client().generic(
            method, address, body, content_type="application/json", headers=headers
        )
        status, expected, content = parts(told)
        assert status == f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", answer.text
        assert is_as_told(json.loads(content), answer.json(), names), answer.text
        for name, value in expected.items():
            assert filled(value, names) == answer[name]
    assert len(examples) >= 20


def test_both_languages_show_the_same():
    assert EXAMPLE.findall(ENGLISH) == EXAMPLE.findall(RUSSIAN)
    assert TEST.findall(ENGLISH) == TEST.findall(RUSSIAN)
    for drawing in ("stateDiagram-v2", "erDiagram"):
        assert drawn(ENGLISH, drawing) == drawn(RUSSIAN, drawing)
    assert [len(each) for each in tables(ENGLISH)] == [len(each) for each in tables(RUSSIAN)]


def tables(page):
    return [re.findall(r"^\|", part, re.MULTILINE) for part in page.split("\n## ")]


def drawn(page, kind):
    [found] = re.findall(rf"```mermaid\n{kind}\n(.*?)```", page, re.DOTALL)
    return found


@each_page
def test_every_test_that_is_named_exists(page):
    named = TEST.findall(page)
    assert len(named) > 40
    for file, name in named:
        assert name in names_in(settings.BASE_DIR / file), (file, name)


def names_in(file):
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {node.name}
            found |= {
                f"{node.name}::{inner.name}"
                for inner in node.body
                if isinstance(inner, ast.FunctionDef)
            }
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found


@each_page
def test_every_figure_stands_in_the_page_that_measured_it(page):
    rows = [line for line in page.splitlines() if line.startswith("|") and "**" in line]
    assert len(rows) >= 12
    for row in rows:
        [source] = set(re.findall(r"\]\(([a-z]+\.md)[)#]", row))
        measured = without_thousands((DOCS / source).read_text())
        for figure in re.findall(r"\*\*([^*]+)\*\*", row):
            number = figure.replace(" ", "").replace(",", ".") if page is RUSSIAN else figure
            number = re.escape(without_thousands(number))
            assert re.search(rf"(?<![\d.]){number}(?!\d)", measured), (row, figure)


def without_thousands(text):
    return re.sub(r"(?<=\d),(?=\d{3})", "", text)


@each_page
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)[)#]", page):
        assert link.startswith("https://") or (DOCS / link).exists(), link


def test_the_states_are_those_of_the_code():
    arrows = re.findall(
        r"^ +([A-Z_]+) --> ([A-Z_]+)$", drawn(ENGLISH, "stateDiagram-v2"), re.MULTILINE
    )
    assert set(arrows) == {
        (str(state), str(target)) for state, targets in TRANSITIONS.items() for target in targets
    }


def test_the_entities_and_what_leads_from_one_to_another_are_those_of_the_code():
    models = {model.__name__: model for model in apps.get_models()}
    relations = re.findall(
        r"^ +(\w+) \|[|o]--o\{ (\w+) : (\w+)$", drawn(ENGLISH, "erDiagram"), re.MULTILINE
    )
    assert len(relations) >= 15
    for one, many, field in relations:
        assert models[many]._meta.get_field(field).related_model is models[one], (many, field)
