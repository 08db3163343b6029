"""No index for what another one already finds; a held booking lasts two days at most.

Existing rows are looked at in the next migration, without a lock.
"""

import datetime

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0006_indexes_for_years'),
        ('spaces', '0004_setup_stamps'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='bookedslot',
            name='place',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='spaces.place'),
        ),
        migrations.AlterField(
            model_name='booking',
            name='member',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to=settings.AUTH_USER_MODEL, verbose_name='member'),
        ),
        migrations.AlterField(
            model_name='booking',
            name='place',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='spaces.place', verbose_name='place'),
        ),
        migrations.AlterField(
            model_name='bookingevent',
            name='actor',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AlterField(
            model_name='bookingevent',
            name='booking',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='bookings.booking'),
        ),
        online.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['AWAITING_APPROVAL', 'CHECKED_IN', 'CONFIRMED', 'OFFERED']), _negated=True), ('ends_at__lte', django.db.models.expressions.CombinedExpression(models.F('starts_at'), '+', models.Value(datetime.timedelta(days=2)))), _connector='OR'), name='booking_held_briefly'),
        ),
    ]
