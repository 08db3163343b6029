from django.db import migrations
from django.utils import timezone


def begin(apps, schema_editor):
    """Tell nobody of what happened before there was anyone to tell; replay_events can."""
    database = schema_editor.connection.alias
    BookingEvent = apps.get_model("bookings", "BookingEvent")
    Cursor = apps.get_model("notifications", "Cursor")
    if BookingEvent.objects.using(database).exists():
        Cursor.objects.using(database).get_or_create(pk=1, defaults={"since": timezone.now()})


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0001_initial"),
        ("bookings", "0003_event_position"),
    ]

    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop, elidable=True),
    ]
