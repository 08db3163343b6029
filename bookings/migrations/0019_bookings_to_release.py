"""The index for what is released when nobody checks in, built while people book."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0018_forgiven_no_shows'),
    ]

    operations = [
        online.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('state', 'CONFIRMED')), fields=['starts_at'], name='booking_to_release'),
        ),
    ]
