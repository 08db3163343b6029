"""The bookings' part of the JSON API: finding, booking, the log of events."""
