"""Addresses of who is told what: calendars, preferences, and the staff's pages about them."""

from django.urls import URLPattern, path

from notifications.views import calendars

urlpatterns: list[URLPattern] = [
    path("calendars/<str:token>.ics", calendars.calendar_feed, name="calendar_feed"),
    path("bookings/<uuid:code>/calendar.ics", calendars.booking_calendar, name="booking_calendar"),
    path("accounts/calendar/", calendars.calendar, name="calendar"),
    path("accounts/calendar/<uuid:code>/renew/", calendars.renew_calendar, name="renew_calendar"),
    path("accounts/calendar/<uuid:code>/close/", calendars.close_calendar, name="close_calendar"),
    path("staff/spaces/<slug:slug>/calendars/", calendars.space_calendars, name="space_calendars"),
]
