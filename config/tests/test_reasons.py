"""What a tool is told to overlook has its reason beside it; so has a test that is skipped."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.any_database

#: A comment of ours, and what follows it.
OVERLOOKED = re.compile(r"#\s*(?:type: ignore(?:\[[\w, -]+\])?|noqa(?:: [A-Z0-9, ]+)?)(.*)")
APPS = (
    "accounts",
    "benchmarks",
    "bookings",
    "attacks",
    "chaos",
    "config",
    "notifications",
    "scripts",
    "spaces",
)
LONGEST = 400  # lines
BROAD = {"Exception", "BaseException"}


def modules():
    for app in APPS:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            yield path, path.read_text()


def test_no_module_is_too_long_to_read():
    found = {str(path): len(text.splitlines()) for path, text in modules()}
    assert {path: lines for path, lines in found.items() if lines >= LONGEST} == {}


def test_what_a_tool_overlooks():
    found = []
    for path, text in modules():
        if "# noqa" not in text and "# type: ignore" not in text:
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (told := OVERLOOKED.match(token.string)):
                reason = OVERLOOKED.sub(r"\1", told[1])
                if not re.search(r"\w\w", reason):
                    found.append(f"{path}:{token.start[0]}: {token.string}")
    assert found == []


def test_what_catches_everything():
    """It raises again, or says why not."""
    found = []
    for path, text in modules():
        if not any(f"except {name}" in text for name in BROAD):
            continue
        lines = text.splitlines()
        for each in ast.walk(ast.parse(text)):
            if not (isinstance(each, ast.ExceptHandler) and is_broad(each.type)):
                continue
            raises = any(isinstance(line, ast.Raise) for line in ast.walk(each))
            said = "#" in "".join(lines[each.lineno - 1 : each.body[0].lineno])
            if not raises and not said:
                found.append(f"{path}:{each.lineno}")
    assert found == []


def is_broad(kind):
    names = {each.id for each in ast.walk(kind) if isinstance(each, ast.Name)} if kind else BROAD
    return bool(names & BROAD)


def test_what_is_skipped():
    found = []
    for path, text in modules():
        if "skip" not in text:
            continue
        for each in ast.walk(ast.parse(text)):
            if isinstance(each, ast.Call) and ast.unparse(each.func) in SKIPS:
                is_said = each.args if ast.unparse(each.func) == "pytest.skip" else each.keywords
                if not is_said:
                    found.append(f"{path}:{each.lineno}")
    assert found == []


SKIPS = {"pytest.skip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}
