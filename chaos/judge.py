"""Judge a run again that was kept: python -m chaos judge DIR [DATABASE_URL]

DIR holds history.jsonl and, unless an address is given, database.sqlite3, which
`chaos.verdict.keep` made of the database. Prints what is wrong, and writes the report into
DIR/report. What was said of the run, and what members complained about, is taken from an earlier
report there. Exits with 1 unless every promise and every limit of a fault was kept.
"""

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
    folder = asked.folder / "report"
    earlier = report.kept(folder)
    about, problems = earlier.get("about", {}), earlier.get("problems", ())
    page = report.write(history, found, folder, about, problems)
    print_verdict(found)
    written = report.kept(folder)
    print(*problems, sep="\n", end="\n" if problems else "")
    for hit in written["faults"]:
        for broken in hit["broken"]:
            print(f"{hit['kind']} of {hit['target']}: {broken}")
    print(f"{'Passed' if written['passed'] else 'Failed'}: {page}")
    return 0 if written["passed"] else 1


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
