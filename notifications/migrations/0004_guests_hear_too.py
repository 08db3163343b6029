"""From now on guests are written to: nobody misses what happened before."""

from django.db import migrations
from django.db.models.functions import Now


def hear_from_now(apps, schema_editor):
    endpoints = apps.get_model("notifications", "Endpoint")
    endpoints.objects.filter(channel="MAIL").update(listens_since=Now())


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_listening_since'),
    ]

    operations = [
        migrations.RunPython(hear_from_now, migrations.RunPython.noop, elidable=True),
    ]
