"""Indexes that hold for years, built while people book."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0005_kept_bookings'),
    ]

    operations = [
        online.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('state__in', ['CHECKED_IN', 'CONFIRMED'])), fields=['ends_at'], name='booking_to_complete'),
        ),
        online.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('state__in', ['AWAITING_APPROVAL', 'CHECKED_IN', 'CONFIRMED', 'OFFERED'])), fields=['place', 'starts_at', 'ends_at'], name='booking_of_a_day'),
        ),
        online.AddIndex(
            model_name='booking',
            index=models.Index(fields=['member', '-id'], name='booking_newest_of_member'),
        ),
        online.AddIndex(
            model_name='booking',
            index=models.Index(fields=['-starts_at', '-id'], name='booking_by_start'),
        ),
        # Processes of the previous release use it until the others are there.
        online.RemoveIndex(
            model_name='booking',
            name='booking_occupying',
        ),
    ]
