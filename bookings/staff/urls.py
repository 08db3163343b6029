"""URLs of the staff's pages; each space has its own."""

from django.urls import include, path

from bookings.staff import (
    booking,
    codes,
    day,
    doors,
    guests,
    home,
    no_shows,
    numbers,
    phone,
    timeline,
    visits,
    waiting,
    walk_in,
    worker,
)

urlpatterns = [
    path("", home.staff, name="staff"),
    path("worker.js", worker.staff_worker, name="staff_worker"),
    path("", include("bookings.staff.urls_of_setup")),
    path("", include("bookings.staff.urls_of_guests")),
    path("<slug:slug>/", day.staff_day, name="staff_day"),
    path("<slug:slug>/codes/", codes.staff_codes, name="staff_codes"),
    path("<slug:slug>/no-shows/", no_shows.staff_no_shows, name="staff_no_shows"),
    path("<slug:slug>/bookings/<uuid:code>/", booking.staff_booking, name="staff_booking"),
    path("<slug:slug>/timeline/", timeline.staff_timeline, name="staff_timeline"),
    path("<slug:slug>/walk-in/", walk_in.staff_walk_in, name="staff_walk_in"),
    path("<slug:slug>/walk-in/<uuid:code>/undo/", walk_in.undo_walk_in, name="undo_walk_in"),
    path("<slug:slug>/waiting/", waiting.staff_waiting, name="staff_waiting"),
    path("<slug:slug>/waiting/act/", waiting.staff_waiting_act, name="staff_waiting_act"),
    path("<slug:slug>/phone/", phone.staff_phone, name="staff_phone"),
    path("<slug:slug>/phone/guests/", phone.find_guest, name="find_guest"),
    path("<slug:slug>/guests/", guests.staff_guests, name="staff_guests"),
    path("<slug:slug>/guests/<uuid:code>/", guests.staff_guest, name="staff_guest"),
    path("<slug:slug>/visits/", visits.staff_visit, name="staff_visit"),
    path("<slug:slug>/bookings/<uuid:code>/cancel/", visits.staff_cancel, name="staff_cancel"),
    path("<slug:slug>/numbers/", numbers.staff_numbers, name="staff_numbers"),
    path(
        "<slug:slug>/numbers/<slug:table>.csv",
        numbers.staff_numbers_csv,
        name="staff_numbers_csv",
    ),
    path("<slug:slug>/doors/", doors.staff_doors, name="staff_doors"),
    path(
        "<slug:slug>/doors/<uuid:code>/revoke/", doors.staff_door_revoke, name="staff_door_revoke"
    ),
]
