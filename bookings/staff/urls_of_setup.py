"""URLs of the pages that set spaces up."""

from django.urls import path

from bookings.staff import (
    audit,
    combinations,
    holidays,
    members,
    members_file,
    people,
    rules,
    seating,
    setup,
)

urlpatterns = [
    path("setup/", setup.staff_setup, name="staff_setup"),
    path("setup/audit/", audit.staff_audit_all, name="staff_audit_all"),
    path("setup/audit.csv", audit.staff_audit_all_csv, name="staff_audit_all_csv"),
    path("<slug:slug>/audit/", audit.staff_audit, name="staff_audit"),
    path("<slug:slug>/audit.csv", audit.staff_audit_csv, name="staff_audit_csv"),
    path("<slug:slug>/people/", people.staff_people, name="staff_people"),
    path("<slug:slug>/people/invitation/", people.staff_invitation, name="staff_invitation"),
    path("<slug:slug>/people/role/", people.staff_role, name="staff_role"),
    path("<slug:slug>/members/", members.staff_tiers, name="staff_tiers"),
    path("<slug:slug>/members/person/", members.staff_member, name="staff_member"),
    path("<slug:slug>/members/tiers/", members.staff_tier_new, name="staff_tier_new"),
    path("<slug:slug>/members/tiers/<uuid:code>/", members.staff_tier, name="staff_tier"),
    path(
        "<slug:slug>/members/members.csv", members_file.staff_members_csv, name="staff_members_csv"
    ),
    path(
        "<slug:slug>/members/file/", members_file.staff_members_import, name="staff_members_import"
    ),
    path("<slug:slug>/rules/", rules.staff_rules, name="staff_rules"),
    path("<slug:slug>/rules/<int:number>/", rules.staff_rule, name="staff_rule"),
    path("<slug:slug>/seating/", seating.staff_seating, name="staff_seating"),
    path("<slug:slug>/seating/shifts/<int:number>/", seating.staff_shift, name="staff_shift"),
    path("<slug:slug>/seating/turns/", seating.staff_turns, name="staff_turns"),
    path(
        "<slug:slug>/seating/combinations/",
        combinations.staff_combination_new,
        name="staff_combination_new",
    ),
    path(
        "<slug:slug>/seating/combinations/<uuid:code>/",
        combinations.staff_combination,
        name="staff_combination",
    ),
    path("<slug:slug>/holidays/", holidays.staff_holidays, name="staff_holidays"),
]
