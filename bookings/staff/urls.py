"""URLs of the staff's pages; each space has its own."""

from django.urls import include, path

from bookings.staff import day, home, numbers

urlpatterns = [
    path("", home.staff, name="staff"),
    path("", include("bookings.staff.urls_of_setup")),
    path("<slug:slug>/", day.staff_day, name="staff_day"),
    path("<slug:slug>/numbers/", numbers.staff_numbers, name="staff_numbers"),
    path(
        "<slug:slug>/numbers/<slug:table>.csv",
        numbers.staff_numbers_csv,
        name="staff_numbers_csv",
    ),
]
