"""python -m chaos COMMAND, each with a --help of its own:

nemesis     faults in a whole cluster while a crowd books: nothing lost, nothing doubled?
contested   crowds against one place: one winner every time
unclaimed   check-in against release of the same booking: one winner every time
parties     32 parties want a table, 100 want one quarter hour: none twice, none left empty
waiting     two who say yes to one table, and the end of its hold: one winner every time
mutants     the application broken on purpose: who notices?
judge       judge a run again that was kept

See docs/reliability.md.
"""

import sys

from chaos import contested, judge, nemesis, parties, unclaimed, waiting
from chaos.mutants import command as mutants

COMMANDS = {
    "nemesis": nemesis.main,
    "contested": contested.main,
    "unclaimed": unclaimed.main,
    "parties": parties.main,
    "waiting": waiting.main,
    "judge": judge.main,
    "mutants": mutants.main,
}


def main() -> int:
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in COMMANDS:
        return COMMANDS[name](arguments)
    print(__doc__, file=sys.stdout if name in ("-h", "--help") else sys.stderr)
    return 0 if name in ("-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main())
