"""A person takes along what is held of them."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.personal import exported
from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again


@require_safe
@never_cache
@asks_again("GET", "HEAD", gives_file=True)
def my_data(request: AuthenticatedRequest) -> HttpResponse:
    """Download everything; nothing of it is kept on the way."""
    return JsonResponse(
        exported(request.user),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": 'attachment; filename="mesto.json"'},
    )
