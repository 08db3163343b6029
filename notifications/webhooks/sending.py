"""Webhooks: signed calls to a space's programs, many at a time.

The worker's thread owns the database: it claims deliveries and records how calls ended. The calls
themselves are made by threads that know nothing but their message, so a slow receiver
holds nobody up. An endpoint gets several calls at once as long as it answers quickly, and one at a
time while it fails.
"""

import logging
from collections import Counter, defaultdict
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from notifications import relay
from notifications.models import Attempt, Delivery, Endpoint
from notifications.outcomes import Again, Delivered, Outcome, Refused
from notifications.webhooks import services
from notifications.webhooks.calling import Result, call
from notifications.webhooks.connections import Idle
from notifications.webhooks.messages import message_of
from notifications.webhooks.sentences import FAILED

logger = logging.getLogger("mesto.webhooks")

MOST_CALLS = 64  # at a time, per worker
FIRST_CALLS, MOST_OF_ONE = 2, 4  # at a time, per endpoint
QUICK = 1000  # milliseconds
PAUSE = 0.05  # seconds to wait for a call to end
GATHER = 0.01  # and then for others, to record them together


class Sender:
    """Calls in progress. One for each worker, used by one thread."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._idle = Idle()
        self._under_way: dict[Future[Result], Delivery] = {}
        self._allowed: dict[int, int] = {}  # calls at a time, by endpoint
        self._turns: dict[int, int] = {}  # which turn was an endpoint's last
        self._turn = 0

    def step(self, *, now: datetime) -> int:
        """Start what is due, wait a moment, record what has ended.

        Returns how many calls ended; not 0 while some are in progress, so that a caller that loops
        until nothing is left calls again.
        """
        self._begin(now)
        if not self._under_way:
            return 0
        if wait(self._under_way, PAUSE, FIRST_COMPLETED).done:
            wait(self._under_way, GATHER)
        return self._settle(now) or 1

    def finish(self, *, now: datetime) -> int:
        """Finish what is in progress: each call has its deadline."""
        wait(self._under_way)
        ended = self._settle(now)
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._idle.close()
        return ended

    def _begin(self, now: datetime) -> None:
        busy = Counter(delivery.endpoint_id for delivery in self._under_way.values())
        ready = list(Endpoint.objects.on(Endpoint.Channel.WEBHOOK).ready(now).with_space())
        # Longest waiting first: otherwise a few slow ones take every slot as it becomes free.
        ready.sort(key=lambda endpoint: (busy[endpoint.pk], self._turns.get(endpoint.pk, 0)))
        for endpoint in ready:
            free = MOST_CALLS - len(self._under_way)
            room = min(free, self._allowance(endpoint) - busy[endpoint.pk])
            if room > 0:
                self._turn += 1
                self._turns[endpoint.pk] = self._turn
                for delivery in relay.claim(endpoint, limit=room, now=now):
                    self._call(delivery, now)

    def _allowance(self, endpoint: Endpoint) -> int:
        return 1 if endpoint.failures else self._allowed.setdefault(endpoint.pk, FIRST_CALLS)

    def _call(self, delivery: Delivery, now: datetime) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix="webhook")
        message = message_of(delivery, now=now)
        future = self._pool.submit(call, message, seconds=_patience(), idle=self._idle)
        self._under_way[future] = delivery

    def _settle(self, now: datetime) -> int:
        ended: dict[int, list[Future[Result]]] = defaultdict(list)
        for future, delivery in self._under_way.items():
            if future.done():
                ended[delivery.endpoint_id].append(future)
        for endpoint, futures in ended.items():
            # If writing fails, the leases run out and they are sent again.
            tried = [(self._under_way.pop(future), _result(future, now)) for future in futures]
            relay.settle([(delivery, _outcome(delivery, r)) for delivery, r in tried], now=now)
            self._learn(endpoint, [result for _delivery, result in tried])
            for url in {each.endpoint.url for each, result in tried if result.status == 410}:
                services.switch_off_gone(endpoint, url=url, now=now)
        return sum(map(len, ended.values()))

    def _learn(self, endpoint: int, results: list[Result]) -> None:
        allowed = self._allowed.get(endpoint, FIRST_CALLS)
        is_quick = all(result.status and result.milliseconds < QUICK for result in results)
        self._allowed[endpoint] = min(allowed * 2, MOST_OF_ONE) if is_quick else 1


def _patience() -> float:
    """Return a call's timeout. It ends well before its lease, or it would be made twice."""
    seconds: float = min(
        settings.WEBHOOKS["timeout_seconds"], settings.DELIVERIES["lease_seconds"] / 2
    )
    return seconds


def _result(future: "Future[Result]", now: datetime) -> Result:
    error = future.exception()
    if error is None:
        return future.result()
    logger.error("A webhook could not be sent", exc_info=error)
    return Result(at=now, milliseconds=0, error=FAILED)


def _outcome(delivery: Delivery, result: Result) -> Outcome:
    attempt = Attempt(
        delivery=delivery,
        at=result.at,
        milliseconds=result.milliseconds,
        request_headers=dict(result.request_headers),
        status=result.status,
        response_headers=dict(result.response_headers),
        response_body=result.response_body,
        error=result.error[:500],
    )
    if not result.error:
        return Delivered(attempt=attempt)
    if result.is_final:
        return Refused(result.error, attempt=attempt)
    return Again(result.error, after=result.after, attempt=attempt)


_sender = Sender()


def deliver_webhooks(*, now: datetime) -> int:
    """Call some of the endpoints with something due; return how many calls ended."""
    return _sender.step(now=now)


def finish_webhooks() -> int:
    """Finish the calls in progress; return how many. For a worker that is stopping."""
    return _sender.finish(now=timezone.now())
