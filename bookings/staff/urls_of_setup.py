"""URLs of the pages that set spaces up."""

from django.urls import path

from bookings.staff import holidays, people, rules, setup

urlpatterns = [
    path("setup/", setup.staff_setup, name="staff_setup"),
    path("<slug:slug>/people/", people.staff_people, name="staff_people"),
    path("<slug:slug>/people/invitation/", people.staff_invitation, name="staff_invitation"),
    path("<slug:slug>/people/role/", people.staff_role, name="staff_role"),
    path("<slug:slug>/rules/", rules.staff_rules, name="staff_rules"),
    path("<slug:slug>/rules/<int:number>/", rules.staff_rule, name="staff_rule"),
    path("<slug:slug>/holidays/", holidays.staff_holidays, name="staff_holidays"),
]
