"""URLs of the staff's pages; each space has its own."""

from django.urls import path

from bookings.staff import day, home

urlpatterns = [
    path("", home.staff, name="staff"),
    path("<slug:slug>/", day.staff_day, name="staff_day"),
]
