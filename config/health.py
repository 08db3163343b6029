"""What a balancer asks: is the process alive, can it reach the database."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.collected import uncollected
from config.draining import is_draining
from config.heartbeat import Attendance
from config.read_only import prepare
from config.watching.page import metrics


@require_safe
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@login_not_required
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Tell whether requests can be served; with `?worker=1`, also whether workers are working.

    The first is for a load balancer, as a site without a worker still books; the second for a
    monitor.
    """
    if request.GET.get("worker") == "1":
        return _attendance()
    if is_draining():
        return HttpResponse("stopping\n", content_type="text/plain", status=503)
    if missing := uncollected():
        said = f"static files aren't collected ({missing}): run manage.py collectstatic, restart\n"
        return HttpResponse(said, content_type="text/plain", status=503)
    prepare(is_safe=False)  # a replica isn't enough
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return HttpResponse("database unreachable\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


def _attendance() -> JsonResponse:
    prepare(is_safe=False)
    try:
        found = Attendance.at(timezone.now())
    except (DatabaseError, InterfaceError):
        return JsonResponse({"problems": ["database_unreachable"]}, status=503)
    return JsonResponse(
        {
            "problems": found.problems,
            "workers": found.workers,
            "last_seen_at": found.last_seen_at,
            "oldest_request_at": found.oldest_request_at,
        },
        status=503 if found.problems else 200,
    )


VIEWS = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


def probes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer a balancer before anything looks for a session, which may be in a database."""

    def middleware(request: HttpRequest) -> HttpResponse:
        view = VIEWS.get(request.path_info)
        if view is None:
            return get_response(request)
        response = view(request)
        # As CommonMiddleware would: without it the server sends pieces, each in a packet.
        response["Content-Length"] = str(len(response.content))
        return response

    return middleware
