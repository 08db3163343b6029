"""What the documents about security promise: each test that they name exists."""

import re
from collections import Counter

import pytest
from django.conf import settings

pytestmark = pytest.mark.any_database

DOCS = ("docs/security.md", "docs/asvs.md")
NAMED = re.compile(r"`([\w/]+/test_\w+\.py)(?:::(\w+))?`")
OTHER_FILES = re.compile(
    r"`((?:accounts|attacks|bookings|config|deploy|docs|notifications|scripts)/[\w./]+\.\w+)`"
)
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| .+ \| (met|not|n/a) \| .+ \|$", re.MULTILINE)


def text(name):
    return (settings.BASE_DIR / name).read_text()


@pytest.mark.parametrize("name", DOCS)
def test_named_tests_exist(name):
    missing = []
    for path, function in NAMED.findall(text(name)):
        file = settings.BASE_DIR / path
        if not file.exists() or (function and f"def {function}(" not in file.read_text()):
            missing.append(f"{path}::{function}")
    assert missing == []


@pytest.mark.parametrize("name", DOCS)
def test_named_files_exist(name):
    missing = [
        path for path in OTHER_FILES.findall(text(name)) if not (settings.BASE_DIR / path).exists()
    ]
    assert missing == []


def test_each_threat_has_a_test():
    threats = text("docs/security.md").split("## Threats")[1].split("\n## ")[0]
    lines = [line for line in threats.splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 15
    for line in lines:
        assert NAMED.search(line) or "`make attack`" in line, line


def test_the_standard_is_answered_row_by_row():
    """Its levels 1 and 2 have 253 requirements, in 17 chapters."""
    rows = ROW.findall(text("docs/asvs.md"))
    numbers = [number for number, _state in rows]
    assert len(set(numbers)) == len(numbers) == 253
    assert {number.split(".")[0] for number in numbers} == {str(n) for n in range(1, 18)}
    counts = Counter(state for _number, state in rows)
    assert f"{counts['met']} met, {counts['not']} not, {counts['n/a']} about" in text(
        "docs/asvs.md"
    )
