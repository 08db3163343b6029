"""Find the events of some days, for the audit."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("bookings", "0027_refusals_by_door"),
    ]

    operations = [
        online.AddIndex(
            model_name="bookingevent",
            index=models.Index(fields=["at"], name="booking_event_at"),
        ),
    ]
