"""The policies that exist are looked at while the site runs."""

from django.db import migrations

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0012_tiers_and_hours_a_day'),
    ]

    operations = [
        online.validate('spaces.Policy', 'policy_one_audience'),
    ]
