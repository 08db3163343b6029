"""The index for the list of no-shows, built while people book."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0019_bookings_to_release'),
    ]

    operations = [
        online.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('state', 'NO_SHOW')), fields=['place', '-starts_at'], name='booking_missed'),
        ),
    ]
