"""All URLs of the site."""

from django.contrib import admin
from django.urls import include, path

from config import api_pages, health, installable
from config.api import urls as api_urls
from config.graphql.views import graphql
from config.watching.page import metrics

urlpatterns = [
    path("", include("bookings.urls")),
    path("", include("notifications.urls")),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/problems", api_pages.problems, name="problems"),
    path("api/v1/", api_urls),
    path("api/graphql", graphql, name="graphql"),
    path("manifest.webmanifest", installable.manifest, name="manifest"),
    path("favicon.ico", installable.favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"
