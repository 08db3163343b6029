"""Rules for a tier of a space's members, and hours a day. The foreign key has no index to build."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_tiers_and_invitations'),
        ('spaces', '0011_yearly_closures'),
    ]

    operations = [
        migrations.AddField(
            model_name='policy',
            name='max_minutes_per_day',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Counted by the local day, over all bookings of a member.', null=True, validators=[django.core.validators.MinValueValidator(15), django.core.validators.MaxValueValidator(1440)], verbose_name='minutes a day per member, at most'),
        ),
        migrations.AddField(
            model_name='policy',
            name='tier',
            field=models.ForeignKey(blank=True, db_index=False, help_text='Empty: everyone.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='policies', to='accounts.tier', verbose_name='tier of members'),
        ),
        online.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('group__isnull', True), ('tier__isnull', True), _connector='OR'), name='policy_one_audience'),
        ),
    ]
