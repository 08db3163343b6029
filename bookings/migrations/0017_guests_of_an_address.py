"""The index by which guests are found who have become members, built while people book."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0016_contact_before'),
    ]

    operations = [
        online.AddIndex(
            model_name='guest',
            index=models.Index(condition=models.Q(('email', ''), _negated=True), fields=['email'], name='guest_at'),
        ),
    ]
