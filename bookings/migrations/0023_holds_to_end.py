"""The index for holds that nobody takes, built while people book."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0022_holds_looked_at'),
    ]

    operations = [
        online.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('state', 'OFFERED')), fields=['hold_expires_at'], name='booking_held'),
        ),
    ]
