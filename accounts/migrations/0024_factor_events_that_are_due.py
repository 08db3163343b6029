"""Find what has yet to be told, without locking the table."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("accounts", "0023_factor_events_are_told"),
    ]

    operations = [
        online.AddIndex(
            model_name="factorevent",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="factor_event_due",
            ),
        ),
    ]
