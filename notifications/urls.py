"""URLs for who is told what: calendars, preferences, and the staff's pages about them."""

from django.urls import path

from notifications.views import calendars, deliveries, mail, webhooks

urlpatterns = [
    path("calendars/<str:token>.ics", calendars.calendar_feed, name="calendar_feed"),
    path("bookings/<uuid:code>/calendar.ics", calendars.booking_calendar, name="booking_calendar"),
    path("accounts/data.ics", calendars.my_data_calendar, name="my_data_calendar"),
    path("accounts/calendar/", calendars.calendar, name="calendar"),
    path("accounts/calendar/<uuid:code>/renew/", calendars.renew_calendar, name="renew_calendar"),
    path("accounts/calendar/<uuid:code>/close/", calendars.close_calendar, name="close_calendar"),
    path("staff/spaces/<slug:slug>/calendars/", calendars.space_calendars, name="space_calendars"),
    path("accounts/notifications/", mail.notifications, name="notifications"),
    path("mail/unsubscribe/<str:token>/", mail.unsubscribe, name="unsubscribe"),
    path("staff/spaces/webhooks/", webhooks.webhook_spaces, name="webhook_spaces"),
    path("staff/spaces/<slug:slug>/webhooks/", webhooks.webhooks, name="webhooks"),
    path("staff/webhooks/<uuid:code>/", webhooks.webhook, name="webhook"),
    path("staff/webhooks/<uuid:code>/ping/", webhooks.webhook_ping, name="webhook_ping"),
    path("staff/webhooks/<uuid:code>/switch/", webhooks.webhook_switch, name="webhook_switch"),
    path("staff/webhooks/<uuid:code>/secret/", webhooks.webhook_secret, name="webhook_secret"),
    path("staff/webhooks/<uuid:code>/remove/", webhooks.webhook_remove, name="webhook_remove"),
    path("staff/deliveries/<uuid:code>/", deliveries.delivery, name="delivery"),
    path(
        "staff/deliveries/<uuid:code>/resend/", deliveries.delivery_resend, name="delivery_resend"
    ),
]
