"""Judge a run again that was kept: python -m chaos judge DIR [DATABASE_URL]

DIR holds history.jsonl and, unless an address is given, database.sqlite3, which
`chaos.verdict.keep` made of the database. Prints what is wrong, and writes report.html, .json and
.svg there. Exits with 1 unless every promise and every limit of a fault was kept.
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from chaos import report, verdict
from chaos.verdict import Verdict

MOST = 20  # sentences of one kind that are printed


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(
        prog="python -m chaos judge",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("database", nargs="?", metavar="DATABASE_URL")
    asked = parser.parse_args(arguments)
    history, kept = asked.folder / report.HISTORY, asked.folder / verdict.KEPT
    if not history.is_file():
        parser.error(f"there is no {history}")
    if not asked.database and not kept.is_file():
        parser.error(f"there is no {kept}: say where the database is")
    found = verdict.judge(history, asked.database or f"sqlite:///{kept.resolve()}")
    page = report.write(history, found, asked.folder, _about(asked.folder))
    print_verdict(found)
    print(f"\n{page}")
    return 0 if report.passed(asked.folder) else 1


def print_verdict(found: Verdict) -> None:
    """Print how much was judged, and what is wrong."""
    for name, count in asdict(found.counts).items():
        print(f"  {name:12}{count:>10,}")
    for name, sentences in found.wrong.items():
        print(f"\n{name}: {len(sentences):,}")
        print(*(f"  {sentence}" for sentence in sentences[:MOST]), sep="\n")
        if len(sentences) > MOST:
            print(f"  and {len(sentences) - MOST:,} more")
    print("\nEvery promise was kept." if found.is_good else "\nNot every promise was kept.")


def _about(folder: Path) -> dict[str, str]:
    """Return what an earlier report said about the run."""
    try:
        about = json.loads((folder / "report.json").read_text(encoding="utf-8"))["about"]
    except (FileNotFoundError, KeyError, ValueError):
        return {}
    return dict(about)
