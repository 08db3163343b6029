"""URLs of the members' pages, and of the staff's."""

from django.urls import include, path

from bookings.staff import join
from bookings.views import board, bookings, door, guests, home, leave, visits, waiting

urlpatterns = [
    path("", home.home, name="home"),
    path("spaces/<slug:slug>/", board.board, name="board"),
    path("bookings/", bookings.bookings, name="bookings"),
    path("bookings/history/", bookings.history, name="history"),
    path("bookings/<uuid:code>/", bookings.booking, name="booking"),
    path("bookings/<uuid:code>/check-in/", visits.check_in, name="check_in"),
    path("check-in/<str:token>/", visits.check_in_link, name="check_in_link"),
    path("here/<str:token>/", visits.here, name="here"),
    path("bookings/<uuid:code>/cancel/", bookings.cancel, name="cancel"),
    path("bookings/<uuid:code>/reschedule/", bookings.reschedule, name="reschedule"),
    path("guest/", guests.guest, name="guest"),
    path("g/<slug:token>/", guests.guest_booking, name="guest_booking"),
    path("g/<slug:token>/cancel/", guests.guest_cancel, name="guest_cancel"),
    path("g/<slug:token>/check-in/", guests.guest_check_in, name="guest_check_in"),
    path("g/<slug:token>/move/", guests.guest_move, name="guest_move"),
    path("w/<slug:token>/", waiting.waiting, name="waiting"),
    path("w/<slug:token>/yes/", waiting.waiting_yes, name="waiting_yes"),
    path("w/<slug:token>/no/", waiting.waiting_no, name="waiting_no"),
    path("accounts/delete/", leave.leave, name="leave"),
    path("door/<str:token>/", door.door, name="door"),
    path("join/<str:key>/", join.join, name="join"),
    path("staff/", include("bookings.staff.urls")),
]
