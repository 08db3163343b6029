"""Find from where something was done, by its request."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("accounts", "0021_from_where"),
    ]

    operations = [
        online.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["request_id"], name="audit_entry_by_request"),
        ),
    ]
