"""Bookings in the JSON API: finding, booking, the log of events."""
