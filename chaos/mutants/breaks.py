"""How the application is broken: one promise each."""

from dataclasses import dataclass

from chaos.mutants.copies import Edit


@dataclass(frozen=True)
class Mutant:
    name: str
    what: str  # for the table
    edits: tuple[Edit, ...] = ()
    sql: str = ""  # done to the database
    tests: tuple[str, ...] = ()  # that have to fail; on PostgreSQL


#: Runs a service in a thread, which hands over its result before the transaction ends.
EARLY = """\
def transactional[**P, R](service: Callable[P, R]) -> Callable[P, R]:
    from concurrent.futures import Future
    from threading import Thread

    from django.conf import settings
    from django.db import connection

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        answer: Future[R] = Future()

        def hand_over() -> None:
            answer.set_result(service(*args, **kwargs))
            time.sleep(0.5 if settings.IS_SERVING else 0.1)  # who else waits would starve a worker

        def work() -> None:
            try:
                _transactional(hand_over)()
            except BaseException as error:  # whoever waits for the answer gets it
                if not answer.done():
                    answer.set_exception(error)
            finally:
                connection.close()

        Thread(target=work).start()
        return answer.result()

    return run


def _transactional[**P, R](service: Callable[P, R]) -> Callable[P, R]:
"""

MUTANTS = (
    Mutant(
        "constraint-dropped",
        "the unique constraint on booked slots is gone",
        sql="ALTER TABLE bookings_bookedslot DROP CONSTRAINT booked_slot_once",
        # The tests' own database is made by the migrations.
        edits=(
            Edit(
                "bookings/migrations/0001_initial.py",
                "fields=('place', 'slot'), name='booked_slot_once'",
                "fields=('booking', 'place', 'slot'), name='booked_slot_once'",
            ),
        ),
        tests=("bookings/deciding/tests/test_race.py",),
    ),
    Mutant(
        "answer-before-commit",
        "a service returns up to half a second before its transaction is committed",
        edits=(
            Edit(
                "bookings/deciding/transactions.py",
                "def transactional[**P, R](service: Callable[P, R]) -> Callable[P, R]:\n",
                EARLY,
            ),
        ),
        tests=("bookings/deciding/tests/test_race.py",),
    ),
    Mutant(
        "key-ignored",
        "the key of a request is neither compared nor kept",
        edits=(
            Edit(
                "bookings/deciding/wish.py",
                "request_key=self.request_key or None,",
                "request_key=None,",
            ),
            Edit(
                "accounts/api/idempotency.py",
                """\
    header = request.headers.get(HEADER)
    if header is None:
""",
                """\
    header = request.headers.get(HEADER)
    if header is not None:
        header = None
    if header is None:
""",
            ),
        ),
        tests=("bookings/tests/test_api_idempotency.py",),
    ),
    Mutant(
        "cancel-forgets-slots",
        "cancelling leaves the booked slots behind",
        edits=(
            Edit(
                "bookings/deciding/transitions.py",
                "    if state not in OCCUPYING:\n",
                "    if state not in OCCUPYING and state != State.CANCELLED:\n",
            ),
        ),
        tests=("bookings/deciding/tests/test_cancel.py",),
    ),
    Mutant(
        "relay-trusts-ids",
        "the relay reads on after the highest id, and misses what commits later",
        edits=(
            Edit(
                "notifications/relay.py",
                "BookingEvent.objects.beyond(cursor.position).select",
                "BookingEvent.objects.exclude(position=None).filter(pk__gt=cursor.position)"
                '.order_by("pk").select',
            ),
            Edit(
                "notifications/relay.py",
                "    cursor.position = events[-1].position or 0\n",
                "    cursor.position = events[-1].pk\n",
            ),
        ),
        tests=("notifications/tests/test_relay_race.py",),
    ),
    Mutant(
        "retry-after-commit",
        "a transaction runs again when the answer to its COMMIT was lost",
        edits=(
            Edit(
                "bookings/deciding/transactions.py",
                """\
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in AGAIN:
""",
                """\
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in {*AGAIN, None}:
""",
            ),
        ),
        tests=("config/tests/test_lost_commit.py",),
    ),
    Mutant(
        "board-shows-others",
        "the board calls everybody's bookings yours",
        edits=(
            Edit(
                "bookings/finding/occupancy.py",
                'else Occupancy(row.place, row.start, row.end, None, "", row.people)',
                "else row._replace(member=member)",
            ),
        ),
        tests=("bookings/finding/tests/test_board_page.py",),
    ),
)


def named(name: str) -> Mutant:
    return next(mutant for mutant in MUTANTS if mutant.name == name)
