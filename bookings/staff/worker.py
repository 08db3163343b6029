"""The script that keeps the last pages in the browser, for reading without a connection."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
@never_cache
def staff_worker(request: HttpRequest) -> HttpResponse:
    """Answer with the script. Browsers ask for it again after a sign-out too; it tells nothing."""
    return render(request, "staff/worker.js", content_type="text/javascript; charset=utf-8")
