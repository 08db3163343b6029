"""Keep which request caused a letter to somebody on the waiting list."""

from django.db import migrations, models

from accounts import watching


class Migration(migrations.Migration):

    dependencies = [
        ("bookings", "0028_events_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="waitingnews",
            name="request_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default=watching.request_id,
                editable=False,
                max_length=64,
            ),
        ),
    ]
