"""Addresses of who is told what: calendars, preferences, and the staff's pages about them."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
