"""The front desk in Django admin: bookings, closures, and people who leave."""

from bookings.admin import bookings, closures, people, setup  # noqa: F401 - importing registers them
