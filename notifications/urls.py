"""Addresses of who is told what: calendars, preferences, and the staff's pages about them."""

from django.urls import URLPattern, path

from notifications.views import mail

urlpatterns: list[URLPattern] = [
    path("accounts/notifications/", mail.notifications, name="notifications"),
    path("mail/unsubscribe/<str:token>/", mail.unsubscribe, name="unsubscribe"),
]
