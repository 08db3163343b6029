"""Crowds against one place: python -m chaos contested [--rounds N] [--engine postgresql|sqlite]
Judge a run again that was kept: python -m chaos judge DIR [DATABASE_URL]

Each engine gets a throwaway database that writes to the disk. Exits with 1 unless every round had
exactly one winner, and every player was heard to the end. See docs/reliability.md.
"""

import subprocess
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from chaos import contested, judge

ENGINES = ("postgresql", "sqlite")


def main() -> int:
    if sys.argv[1:2] == ["judge"]:
        return judge.main(sys.argv[2:])
    parser = ArgumentParser(
        prog="python -m chaos", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["contested"])
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--engine", choices=ENGINES, help="one of them; otherwise both")
    parser.add_argument(
        "--composites",
        action="store_true",
        help="members want a hall, a half of it or its parts; several may win",
    )
    parser.add_argument(
        "--http",
        nargs="?",
        const="",
        metavar="URL",
        help="book by the API: of a site that runs, with DATABASE_URL as its database, where "
        "spaces and members are added; without a URL, of gunicorn that is started for it",
    )
    asked = parser.parse_args()
    if asked.rounds < 1 or asked.members < 2:
        parser.error("a contest takes at least one round and two members")
    if asked.engine or asked.http:
        return contested.main(asked)
    # A process each: Django is set up once in a process.
    again = [sys.executable, "-m", "chaos", *sys.argv[1:], "--engine"]
    return max([subprocess.run([*again, engine]).returncode for engine in ENGINES])


if __name__ == "__main__":
    sys.exit(main())
