"""While no primary database can be reached, everything can still be read: from a replica.

With REPLICA_URL only. The one connection that everybody uses then leads to the replica, for
requests that change nothing; all others get 503, as without a replica. See decision 16.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from accounts import replica

type Handler = Callable[[HttpRequest], HttpResponse]

SAFE = {"GET", "HEAD", "OPTIONS"}

#: The log of events is read on from where one stopped. A replica may know of a last change that the
#: next primary doesn't: whoever had read that far would miss what gets its number.
NEVER = ("/api/v1/events",)

#: A query changes nothing, though it may be posted.
QUERIES = "/api/graphql"


def prepare(*, is_safe: bool) -> None:
    """Say whether a replica will do for what follows."""
    begin = getattr(connection, "begin", None)
    if begin is not None:  # PostgreSQL's
        begin(is_safe=is_safe)


def middleware(get_response: Handler) -> Handler:
    """Let requests that change nothing read a replica, and mark their answers."""

    def answered(request: HttpRequest) -> HttpResponse:
        prepare(is_safe=_is_safe(request))
        response = get_response(request)
        if replica.is_read():
            _mark(response)
        return response

    return answered


def _is_safe(request: HttpRequest) -> bool:
    if request.method == "POST":
        return request.path == QUERIES
    return request.method in SAFE and not request.path.startswith(NEVER)


def _mark(response: HttpResponse) -> None:
    response[replica.HEADER] = replica.written(replica.as_of())
    # The replica may not know a session yet that was made a moment ago: don't end it.
    response.cookies.pop(settings.SESSION_COOKIE_NAME, None)
