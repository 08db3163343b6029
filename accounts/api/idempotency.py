"""`Idempotency-Key`: a repeated POST is carried out once and gets the same answer.

Follows draft-ietf-httpapi-idempotency-key-header. A process that dies halfway leaves a claim
without an answer; after LEASE the next request with the key takes it over with the same code, by
which a service recognises what was committed before (`Claim.request_key`).
"""

import json
import logging
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.api.problems import INVALID, KEY_REUSED, STILL_RUNNING, ApiProblem
from accounts.api.requests import Claim, ProgramRequest, SignedInProgramRequest
from accounts.models import IdempotencyKey, User

logger = logging.getLogger("mesto.api")

LIFE = timedelta(days=1)
#: How long anything may take, even while the database is away. A request that is still running
#: then is only repeated in vain: services find what their `request_key` did before.
LEASE = timedelta(seconds=10)
HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT = ("Content-Type", "Location", "Preference-Applied")
#: These aren't about the request: it may be sent again.
NOT_KEPT = {401, 403, 429}


#: Operations that take the header, for the OpenAPI document.
KEYED: set[Callable[..., object]] = set()

#: Claims of requests that this process has answered, which the database couldn't be told.
_abandoned: deque[IdempotencyKey] = deque()


def idempotent[**P, R](
    view: Callable[Concatenate[SignedInProgramRequest, P], R],
) -> Callable[Concatenate[SignedInProgramRequest, P], R | HttpResponse]:
    """Carry an operation out once per key. The middleware keeps its answer."""

    @wraps(view)
    def run(
        request: SignedInProgramRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> R | HttpResponse:
        claim = begin(request, request.user)
        if claim is not None and claim.answer is not None:
            return claim.answer
        return view(request, *args, **kwargs)

    return accepts_key(run)


def accepts_key[F: Callable[..., object]](view: F) -> F:
    """Record that an operation takes the header."""
    KEYED.add(view)
    return view


def begin(request: ProgramRequest, user: User) -> Claim | None:
    """Claim the request's key, if it has one. Raises ApiProblem: reused, or still running."""
    key = key_of(request)
    if key is None:
        return None
    _give_back_abandoned()
    claim = _claim(user, key, _fingerprint(request), timezone.now())
    if claim.answer is None:
        request.claim = claim
    return claim


def key_of(request: ProgramRequest) -> str | None:
    """Return the request's key, if it has one. Raises ApiProblem when it is invalid."""
    header = request.headers.get(HEADER)
    if header is None:
        return None
    key = header.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':  # the draft writes a quoted string
        key = key[1:-1]
    if not KEY.fullmatch(key):
        error = {"field": HEADER, "message": _("A key has 1 to 255 visible ASCII characters.")}
        raise ApiProblem(INVALID, errors=[error])
    return key


def sender_of(request: ProgramRequest, login: str) -> User | None:
    """Return the person with this login if this same request, password included, created them.

    For operations that are open to anybody: others learn nothing here.
    """
    key = key_of(request)
    if key is None:
        return None
    sent = IdempotencyKey.objects.filter(
        user__username=login, key=key, fingerprint=_fingerprint(request)
    )
    row = sent.filter(created_at__gt=timezone.now() - LIFE).select_related("user").first()
    return row.user if row is not None else None


def request_key(request: ProgramRequest) -> str | None:
    """Return the key by which a service can find what this request did before."""
    return request.claim.request_key if request.claim else None


def _fingerprint(request: HttpRequest) -> str:
    """Hash the request; keyed, because a body may contain a password."""
    try:
        content = json.dumps(json.loads(request.body), sort_keys=True)
    except ValueError:
        content = repr(request.body)
    text = f"{request.method} {request.path}\n{content}"
    token = getattr(request, "token", None)
    if token is not None and token.space_id is not None:
        text += f"\nonly in {token.space_id}"  # or it would get answers about other spaces
    return salted_hmac("accounts.api.idempotency", text, algorithm="sha256").hexdigest()


def _claim(user: User, key: str, fingerprint: str, now: datetime) -> Claim:
    row = IdempotencyKey(
        user=user, key=key, fingerprint=fingerprint, created_at=now, started_at=now
    )
    if _insert(row):
        return Claim(row)
    earlier = IdempotencyKey.objects.filter(user=user, key=key).first()
    if earlier is None or earlier.created_at <= now - LIFE:
        forget_old(now=now)
        if _insert(row):
            return Claim(row)
        raise still_running()
    if earlier.fingerprint != fingerprint:
        raise ApiProblem(KEY_REUSED)
    if earlier.status is not None:
        headers = {**earlier.headers, "Idempotency-Replayed": "true"}
        return Claim(earlier, HttpResponse(earlier.body, status=earlier.status, headers=headers))
    if earlier.started_at <= now - LEASE and _take_over(earlier, now):
        return Claim(earlier)
    raise still_running()


def still_running() -> ApiProblem:
    return ApiProblem(STILL_RUNNING, headers={"Retry-After": "1"})


def _insert(row: IdempotencyKey) -> bool:
    """Insert a row unless the key exists; tell whether it was inserted.

    In one statement that can't break the transaction; Django's own ways take three.
    """
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {row._meta.db_table} ({columns}) "  # noqa: S608 - names of ours
            f"VALUES ({', '.join(['%s'] * len(fields))}) ON CONFLICT DO NOTHING RETURNING id",
            values,
        )
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    [row.pk] = inserted
    return True


def _take_over(row: IdempotencyKey, now: datetime) -> bool:
    if not _set_start(row, now):
        return False
    row.started_at = now
    return True


def _set_start(row: IdempotencyKey, at: datetime) -> bool:
    """Let an unanswered claim have begun at another time, unless somebody else took it over."""
    mine = IdempotencyKey.objects.filter(pk=row.pk, status=None, started_at=row.started_at)
    return mine.update(started_at=at) == 1


def _give_back(row: IdempotencyKey) -> None:
    """Let the next request with this key try at once."""
    _set_start(row, row.started_at - LEASE)


def _give_back_abandoned() -> None:
    while _abandoned:
        _give_back(_abandoned[0])
        _abandoned.popleft()


def finish(request: ProgramRequest, response: HttpResponse) -> None:
    """Store the answer for repeats; after a failure, let the next one try at once.

    If the database is away, the answer stands: a repeat finds what it did by its `request_key`.
    """
    if request.claim is None:
        return
    try:
        _finish(request.claim, response)
    except (OperationalError, InterfaceError):
        logger.exception("the database can't be reached; an answer is not kept")
        _abandoned.append(request.claim.row)


def _finish(claim: Claim, response: HttpResponse) -> None:
    mine = IdempotencyKey.objects.filter(pk=claim.row.pk)
    if response.status_code >= 500:
        _give_back(claim.row)
    elif response.status_code in NOT_KEPT:
        mine.delete()
    else:
        body = response.content.decode()
        mine.update(
            status=response.status_code,
            headers={name: response[name] for name in KEPT if name in response},
            body=body.replace(claim.secret, "") if claim.secret else body,
        )


def forget_old(*, now: datetime) -> int:
    """Delete keys that are older than a day; return how many."""
    old = IdempotencyKey.objects.filter(created_at__lte=now - LIFE)
    if not old.exists():  # workers check all the time, and reading locks nobody out
        return 0
    deleted, _by_model = old.delete()
    return deleted


def derived(claim: Claim, salt: str) -> bytes:
    """Return 32 bytes that only we can compute, the same every time the request is sent."""
    text = f"{claim.row.code} {claim.row.key}"
    return salted_hmac(salt, text, algorithm="sha256").digest()
