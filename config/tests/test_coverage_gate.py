"""The gate of `make coverage`, on made-up figures: what it lets through, and what it keeps."""

import json

import pytest

from scripts import coverage_gate

pytestmark = pytest.mark.any_database


@pytest.fixture
def judge(tmp_path):
    """Return the gate's verdict about a figure after another, and the figure that it keeps."""
    now, before = tmp_path / "now.json", tmp_path / "kept/before.json"

    def judge(covered, known=None):
        now.write_text(json.dumps({"totals": {"percent_covered": covered}}))
        if known is not None:
            before.parent.mkdir(exist_ok=True)
            before.write_text(json.dumps({"percent": known}))
        verdict = coverage_gate.main(now, before)
        return verdict, json.loads(before.read_text())["percent"]

    return judge


def test_less_than_before_fails_and_the_figure_stays(judge, capsys):
    assert judge(96.3, known=96.5) == (1, 96.5)
    assert "It fell" in capsys.readouterr().out


def test_a_little_less_passes_and_the_figure_stays(judge):
    """Otherwise many small losses would each be allowed."""
    assert judge(96.45, known=96.5) == (0, 96.5)


def test_more_passes_and_is_what_the_next_is_compared_with(judge):
    assert judge(97.0, known=96.5) == (0, 97.0)
    assert judge(96.5) == (1, 97.0)


def test_without_a_figure_this_one_is_the_first_and_it_says_so(judge, capsys):
    assert judge(96.5) == (0, 96.5)
    assert "nothing to compare it with" in capsys.readouterr().out
