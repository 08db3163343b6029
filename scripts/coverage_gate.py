"""Compare the coverage with that of main before: it may not fall.

python scripts/coverage_gate.py NOW.json BEFORE.json

BEFORE is made or replaced where there is none or it was lower.
"""

import json
import sys
from pathlib import Path

ALLOWED = 0.1  # points: races and timeouts take other branches now and then


def main(now: Path, before: Path) -> int:
    covered = json.loads(now.read_text())["totals"]["percent_covered"]
    is_known = before.exists()
    known = json.loads(before.read_text())["percent"] if is_known else 0.0
    print(f"{covered:.2f} % of the lines are covered", end="; ")
    print(f"before: {known:.2f} %" if is_known else "there is nothing to compare it with")
    if covered < known - ALLOWED:
        print("It fell: what was added has no test, or a test doesn't run any more.")
        return 1
    before.parent.mkdir(parents=True, exist_ok=True)
    before.write_text(json.dumps({"percent": max(covered, known)}))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*map(Path, sys.argv[1:])))
