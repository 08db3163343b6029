"""Attack a site of our own, on the database in DATABASE_URL: `make attack`.

    python -m attacks [--requests 100000] [--minutes 60] [--seed 1]

Mutated requests over all forms and operations in every role, headers, look-ups that the admin
refuses, names of the site, markup in mail and calendars, the lock on guessing, and slow clients.
Prints what it tried; fails when anything was found. See docs/security.md.
"""

import math
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from attacks import fronts, headers, injecting, lockout, logged, lookups, slow
from attacks.mutating import Mutations, operations_of
from attacks.report import Outcome, total
from attacks.rounds import Rounds
from attacks.site import PASSWORD, Site, site
from attacks.surfing import Surfer

ROLES = ("", "member", "host", "manager", "admin")
STARTS = ["/", "/bookings/", "/bookings/history/", "/accounts/profile/", "/accounts/register/"]
STARTS += [
    "/accounts/login/",
    "/staff/",
    "/admin/",
    "/api/v1/docs",
    "/spaces/tverskaya/",
    "/nothing",
]


#: The next site is on the same database, and locked logins would stay so.
FORGIVE = "from axes.models import AccessAttempt; AccessAttempt.objects.all().delete()"


def main() -> int:
    asked = _arguments()
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda number, _frame: sys.exit(128 + number))
    outcomes = []
    for outcome in attack(**vars(asked)):
        outcome.show()
        outcomes.append(outcome)
    return 0 if total(outcomes) else 1


def attack(*, requests: int, seed: int, pages: int, minutes: float) -> Iterator[Outcome]:
    with site() as found:
        yield slow.check(found.port, most=30, name="gunicorn alone", may_block=True)
        yield from fronts.check(found)
    for proxies in (0, 1, 2):
        limits = {"LOGIN_FAILURE_LIMIT": str(lockout.LIMIT), "ADDRESS_FAILURE_LIMIT": "10000"}
        with (
            site(is_new=False, TRUSTED_PROXIES=str(proxies), **limits) as found,
            found.client() as client,
        ):
            yield lockout.check(client, proxies)
            found.manage("shell", "-c", FORGIVE)
    with site(is_new=False, WEB_CONCURRENCY="4") as found:
        yield from _of_pages(found, requests=requests, seed=seed, pages=pages, minutes=minutes)


def _of_pages(
    found: Site, *, requests: int, seed: int, pages: int, minutes: float
) -> Iterator[Outcome]:
    with ExitStack() as opened:
        surfers = [
            Surfer(opened.enter_context(found.client()), login, PASSWORD if login else "")
            for login in ROLES
        ]
        with ThreadPoolExecutor(len(surfers)) as pool:
            list(pool.map(lambda surfer: surfer.look_around(STARTS, most=pages), surfers))
        yield headers.check(surfers)
        yield lookups.check(surfers[-1], found.log)
        yield injecting.check_names(found)
        yield injecting.check_text(found, surfers[1])
        operations = operations_of(surfers[0].client)
        everybody = [Mutations(surfer, operations, seed) for surfer in surfers]
        yield Rounds(found, everybody).run(requests, minutes)
        yield logged.check(found.log, busy=sum(sender.statuses[503] for sender in everybody))


def _arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000, help="mutated requests")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="for mutated requests, at most"
    )
    parser.add_argument("--pages", type=int, default=250, help="pages to look at, for each role")
    parser.add_argument("--seed", type=int, default=1, help="of the dice")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
