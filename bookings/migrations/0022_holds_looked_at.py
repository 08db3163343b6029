"""The bookings that exist are looked at while others are made."""

from django.db import migrations

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0021_holds'),
    ]

    operations = [
        online.validate('bookings.Booking', 'booking_hold_ends'),
    ]
