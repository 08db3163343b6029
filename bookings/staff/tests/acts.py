"""What the staff's pages need in tests."""

from django.test import Client

from bookings.tests.acts import book

DAY = "/staff/loft/"


def browser(person, **kwargs):
    client = Client(**kwargs)
    client.force_login(person)
    return client


def book_guest(place, host, now, name="Rossi", **kwargs):
    return book(place, None, now, by=host, guest_name=name, **kwargs)
