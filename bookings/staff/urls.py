"""URLs of the staff's pages; each space has its own."""

from django.urls import include, path

from bookings.staff import day, home, numbers, visits, worker

urlpatterns = [
    path("", home.staff, name="staff"),
    path("worker.js", worker.staff_worker, name="staff_worker"),
    path("", include("bookings.staff.urls_of_setup")),
    path("<slug:slug>/", day.staff_day, name="staff_day"),
    path("<slug:slug>/visits/", visits.staff_visit, name="staff_visit"),
    path("<slug:slug>/bookings/<uuid:code>/cancel/", visits.staff_cancel, name="staff_cancel"),
    path("<slug:slug>/numbers/", numbers.staff_numbers, name="staff_numbers"),
    path(
        "<slug:slug>/numbers/<slug:table>.csv",
        numbers.staff_numbers_csv,
        name="staff_numbers_csv",
    ),
]
