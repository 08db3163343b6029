"""The release before this one, taken out of git and ready to be run."""

import subprocess

import pytest

from chaos import releases
from chaos.layout import ROOT
from chaos.releases import NOW, NoRelease

pytestmark = pytest.mark.any_database


def has_history():
    """Tell whether there is an earlier commit: a tarball or a shallow clone has none."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "HEAD~50"]
    try:
        return subprocess.run(asked, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not has_history(), reason="there is no git with earlier commits")
def test_it_has_other_migrations_and_can_be_run(tmp_path):
    before = releases.before(tmp_path)
    assert before.targets().keys() <= NOW.targets().keys()
    there = {path.name for path in before.folder.glob(releases.MIGRATIONS)}
    assert there < {path.name for path in ROOT.glob(releases.MIGRATIONS)}
    assert before.has_static_files
    assert before.manage("check", settings=releases.BUILDING).returncode == 0
    assert releases.before(tmp_path, before.name) == before


@pytest.mark.skipif(not has_history(), reason="there is no git with earlier commits")
def test_a_commit_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(NoRelease, match="git rev-parse"):
        releases.before(tmp_path, "no-such-tag")


def test_without_git_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoRelease, match="no git"):
        releases.before(tmp_path)


def test_a_folder_inside_another_repository_is_no_release(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "mesto").mkdir()
    monkeypatch.setattr(releases, "ROOT", tmp_path / "mesto")
    with pytest.raises(NoRelease, match="no git of its own"):
        releases.before(tmp_path)
