"""What lets people put the site on a phone's home screen (https://w3c.github.io/manifest/)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

#: As the page's background in light: a start screen has no theme of its own.
PAPER = "#fbfaf7"
AN_HOUR = 3_600


@require_safe
@login_not_required
@cache_control(private=True, max_age=AN_HOUR)  # as in the reader's language
def manifest(request: HttpRequest) -> HttpResponse:
    """Describe the site to a browser that installs it, in the reader's language."""
    icons = [
        {"src": static("img/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": static("img/icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": static("img/icon-mask.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    about = {
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "name": "Mesto",
        "short_name": "Mesto",
        "description": _("Mesto books places by time."),
        "lang": get_language(),
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": icons,
        "shortcuts": [{"name": _("My bookings"), "url": "/bookings/"}],
    }
    return JsonResponse(about, content_type="application/manifest+json")


@require_safe
@login_not_required
@cache_control(public=True, max_age=AN_HOUR)
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead those who ask without having read a page to the icon."""
    return redirect(static("img/icon-192.png"))
