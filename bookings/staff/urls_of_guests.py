"""URLs of what the staff do at a guest's wish."""

from django.urls import path

from bookings.staff import guest_data

urlpatterns = [
    path(
        "<slug:slug>/guests/<uuid:code>/data.json",
        guest_data.staff_guest_data,
        {"kind": "json"},
        name="staff_guest_json",
    ),
    path(
        "<slug:slug>/guests/<uuid:code>/data.csv",
        guest_data.staff_guest_data,
        {"kind": "csv"},
        name="staff_guest_csv",
    ),
    path(
        "<slug:slug>/guests/<uuid:code>/erase/",
        guest_data.staff_guest_erase,
        name="staff_guest_erase",
    ),
    path(
        "<slug:slug>/guests/<uuid:code>/links/",
        guest_data.staff_guest_links,
        name="staff_guest_links",
    ),
]
