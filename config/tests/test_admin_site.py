"""The admin as a whole: who gets in, what the front desk offers, and how it looks."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.factories import StaffRoleFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

PAGES = [
    "/admin/",
    "/admin/bookings/booking/",
    "/admin/bookings/booking/add/",
    "/admin/spaces/closure/",
    "/admin/spaces/closure/add/",
]


@pytest.mark.parametrize("page", PAGES)
def test_visitors_are_sent_to_the_one_sign_in_page(client, page):
    answer = client.get(page, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("page", PAGES)
def test_a_member_without_a_role_is_refused(client, alice, page):
    client.force_login(alice)
    assert client.get(page, follow=True).status_code == 403


@pytest.mark.parametrize("role", ["HOST", "MANAGER"])
@pytest.mark.parametrize("page", PAGES)
def test_the_staff_of_a_space_enter(client, page, role):
    client.force_login(StaffRoleFactory.create(role=role).user)
    assert client.get(page).status_code == 200


def test_a_person_who_loses_their_last_role_is_refused_at_once(client, host):
    client.force_login(host)
    host.staff_roles.all().delete()
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_front_desk_has_the_links_of_the_day(client, host):
    client.force_login(host)
    text = client.get("/admin/").text
    assert "Mesto" in text
    assert 'href="/staff/"' in text
    assert 'href="/admin/bookings/booking/add/"' in text
    assert 'href="/admin/spaces/closure/add/"' in text
    assert "/admin/accounts/user/" not in text


@pytest.mark.parametrize("page", PAGES)
def test_pages_obey_the_content_security_policy(client, host, page):
    client.force_login(host)
    answer = client.get(page)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)
    assert "css/admin.css" in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_a_dozen_queries_at_most(client, host, page, django_assert_max_num_queries):
    client.force_login(host)
    with django_assert_max_num_queries(12):
        client.get(page)


def test_our_models_have_russian_names(client, host):
    from django.utils.functional import Promise

    from bookings.models import Booking, BookingEvent
    from spaces.models import Closure

    for model in (Booking, BookingEvent, Closure):
        assert isinstance(model._meta.verbose_name, Promise)
        assert isinstance(model._meta.verbose_name_plural, Promise)


def test_passwords_are_changed_on_the_sites_own_page(client, host):
    client.force_login(host)
    answer = client.get("/admin/password_change/")
    assert (answer.status_code, answer.url) == (302, "/accounts/password/")


def added(client, source):
    """Add a group in the window that the form of another model opens."""
    sent = {"name": f"made for {source}", "_popup": "1", "_source_model": source}
    return client.post("/admin/auth/group/add/", sent)


@pytest.mark.parametrize("source", ["+", ".", "spaces", "no.such", "a.b.c", "<b>.x", "\x00.x"])
def test_a_window_that_no_form_opened_adds_nothing(admin_client, source):
    assert added(admin_client, source).status_code == 400
    assert not Group.objects.exists()


def test_whatever_form_opens_a_window_it_is_answered(admin_client):
    answers = {
        model._meta.label_lower: added(admin_client, model._meta.label_lower).status_code
        for model in admin.site._registry
    }
    assert {*answers.values()} <= {200, 400}
    assert (
        answers["accounts.user"] == answers["spaces.space"] == added(admin_client, "").status_code
    )
    assert answers["axes.accessattempt"] == 400  # nobody adds or changes one
