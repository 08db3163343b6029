"""What a run came to, for people and for programs: report.html, report.json, report.svg."""

from pathlib import Path

from chaos.verdict import Verdict


def write(history: Path, verdict: Verdict, folder: Path) -> Path:
    """Write the report of a history into a folder; return the page."""
    return folder / "report.html"
