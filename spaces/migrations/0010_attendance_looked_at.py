"""The policies that exist are looked at while the site runs."""

from django.db import migrations

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0009_attendance'),
    ]

    operations = [
        online.validate('spaces.Policy', 'policy_no_shows'),
    ]
