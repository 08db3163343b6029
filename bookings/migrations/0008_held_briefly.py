"""The bookings that exist are looked at while others are made."""

from django.db import migrations

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0007_no_index_twice'),
    ]

    operations = [
        online.validate('bookings.Booking', 'booking_held_briefly'),
    ]
