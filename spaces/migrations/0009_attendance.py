"""Checking in, and not coming. The policies that exist are looked at in the next migration."""

import django.core.validators
from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0008_shifts_and_turn_times'),
    ]

    operations = [
        migrations.AddField(
            model_name='policy',
            name='check_in_opens_minutes',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Before the start. Empty: 15, if bookings are released.', null=True, validators=[django.core.validators.MaxValueValidator(1440)], verbose_name='check-in opens this many minutes before'),
        ),
        migrations.AddField(
            model_name='policy',
            name='max_no_shows',
            field=models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name="no-shows after which a member can’t book"),
        ),
        migrations.AddField(
            model_name='policy',
            name='no_show_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text="Older no-shows don’t count any more.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)], verbose_name='within this many days'),
        ),
        migrations.AddField(
            model_name='policy',
            name='release_after_minutes',
            field=models.PositiveSmallIntegerField(blank=True, help_text='After the start, if nobody has checked in. Empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='released after this many minutes'),
        ),
        online.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('max_no_shows__isnull', True), ('no_show_days__isnull', True)), models.Q(('max_no_shows__isnull', False), ('no_show_days__isnull', False)), _connector='OR'), name='policy_no_shows'),
        ),
    ]
