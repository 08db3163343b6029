"""The bookings that exist are looked at while others are made."""

from django.db import migrations

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0012_who_came'),
    ]

    operations = [
        online.validate('bookings.Booking', 'booking_checked_in'),
        online.validate('bookings.Booking', 'booking_seated'),
    ]
