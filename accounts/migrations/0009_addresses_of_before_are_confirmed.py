"""Addresses that reminders went to already go on getting them."""

from django.db import migrations
from django.db.models.functions import Now


def confirm(apps, schema_editor):
    people = apps.get_model('accounts', 'User').objects.exclude(email='')
    people.filter(email_confirmed_at=None).update(email_confirmed_at=Now())


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_email_confirmed'),
    ]

    operations = [
        migrations.RunPython(confirm, migrations.RunPython.noop, elidable=True),
    ]
