"""The index for what a known guest has booked, built while people book."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0009_guests_and_channels'),
    ]

    operations = [
        online.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('guest__isnull', False)), fields=['guest', '-starts_at'], name='booking_by_guest'),
        ),
    ]
