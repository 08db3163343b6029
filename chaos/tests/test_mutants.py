"""The mutants are still what they were: each replacement applies and leaves valid Python.

Whether they are noticed is for `make chaos-mutants` to say, which takes minutes.
"""

import ast
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.conf import settings

from bookings.models import BookedSlot
from chaos.checker import Booking
from chaos.mutants import breaks, command, copies
from chaos.mutants.breaks import MUTANTS
from chaos.mutants.copies import DoesNotApply, Edit

pytestmark = pytest.mark.any_database

EDIT = Edit("notes.txt", "one\n", "two\n")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
class TestEach:
    def test_its_replacements_apply(self, mutant):
        for file, text in copies.edited(mutant.edits, settings.BASE_DIR).items():
            assert text != file.read_text()
            ast.parse(text)

    def test_somebody_is_to_notice(self, mutant):
        assert mutant.edits or mutant.sql
        assert mutant.tests
        for test in mutant.tests:
            file, *names = test.split("::")
            assert all(name in (settings.BASE_DIR / file).read_text() for name in names)


def test_the_constraint_that_is_dropped_exists():
    sql = breaks.named("constraint-dropped").sql
    [(table, name)] = re.findall(r"ALTER TABLE (\w+) DROP CONSTRAINT (\w+)", sql)
    assert table == BookedSlot._meta.db_table
    assert name in [constraint.name for constraint in BookedSlot._meta.constraints]


@pytest.mark.parametrize("text", ["", "one", "one\none\n"])
def test_a_text_that_is_not_there_once_is_not_replaced(tmp_path, text):
    (tmp_path / "notes.txt").write_text(text)
    with pytest.raises(DoesNotApply, match=r"notes\.txt"):
        copies.apply([EDIT], tmp_path)
    assert (tmp_path / "notes.txt").read_text() == text


def test_a_file_that_is_gone_is_reported(tmp_path):
    with pytest.raises(DoesNotApply, match=r"notes\.txt"):
        copies.apply([EDIT], tmp_path)


def test_all_replacements_are_made_or_none(tmp_path):
    (tmp_path / "notes.txt").write_text("one\n")
    with pytest.raises(DoesNotApply):
        copies.apply([EDIT, EDIT], tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "one\n"
    copies.apply([EDIT], tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "two\n"


def test_a_copy_leaves_out_what_is_nobodys_business(tmp_path):
    tree = tmp_path / "tree"
    for name in (".git", ".venv", "var", "bookings/__pycache__"):
        (tree / name).mkdir(parents=True)
        (tree / name / "something").touch()
    (tree / ".env").write_text("SECRET_KEY=ours")
    (tree / "bookings/models.py").write_text("one\n")
    made = copies.copy(tree, tmp_path / "copy")
    files = sorted(str(each.relative_to(made)) for each in made.rglob("*") if each.is_file())
    assert files == ["bookings/models.py"]
    shutil.rmtree(made)
    assert (tree / "bookings/models.py").exists()


def test_who_survives_is_named(capsys):
    mutant, other = MUTANTS[:2]
    rows = [
        command.Row(command.CONTROL, "checker", "", 1),
        command.Row(mutant, "checker", "3 doubled", 1),
        command.Row(mutant, "suite", "", 1),
        command.Row(other, "checker", "", 1),
    ]
    assert command.report(rows[:3], [mutant]) == 0
    assert command.report(rows, [mutant, other]) == 1
    assert f"Nobody noticed: {other.name}" in capsys.readouterr().out


def test_rows_are_named_shortly(capsys):
    at = datetime(2026, 12, 2, 12, tzinfo=UTC)
    booking = Booking(1, UUID(int=1), 7, "a", 3, at, at + timedelta(hours=1), "CONFIRMED", at)
    other = replace(booking, id=2, decided_at=None)
    row = command.Row(MUTANTS[0], "checker", f"1 doubled; overlap: {booking} and {other}", 1)
    command.report([row], MUTANTS[:1])
    said = "1 doubled; overlap: booking 1 (CONFIRMED) and booking 2 (CONFIRMED)"
    assert f"| {said} |" in capsys.readouterr().out


def test_a_control_that_fails_proves_nothing(capsys):
    rows = [
        command.Row(command.CONTROL, "checker", "1 lost", 1),
        command.Row(MUTANTS[0], "checker", "1 lost", 1),
    ]
    assert command.report(rows, MUTANTS[:1]) == 1
    assert "something wrong already: 1 lost" in capsys.readouterr().out


def test_nothing_is_tried_when_a_replacement_no_longer_applies(monkeypatch, capsys):
    """However the tree changed: it is noticed before anything takes long."""
    gone = breaks.Mutant("gone", "it was renamed", edits=(Edit("README.md", "never there", ""),))
    monkeypatch.setattr(command, "MUTANTS", (gone,))
    assert command.main([]) == 1
    assert "README.md has this 0 times" in capsys.readouterr().out
