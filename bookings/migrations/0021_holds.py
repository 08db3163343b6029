"""Places that are held for whoever says yes first; the rows that exist are looked at next."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0020_missed_bookings'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='hold_expires_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='held until'),
        ),
        migrations.AlterField(
            model_name='bookingevent',
            name='kind',
            field=models.CharField(choices=[('CREATED', 'received'), ('CHECKING_AVAILABILITY', 'being checked'), ('OFFERED', 'offered'), ('CONFIRMED', 'booked'), ('REJECTED', 'not booked'), ('MOVED', 'moved'), ('AMENDED', 'details changed'), ('KEPT', 'kept'), ('CHECKED_IN', 'arrived'), ('SEATED', 'seated'), ('EXTENDED', 'extended'), ('NO_SHOW', 'did not come'), ('FORGIVEN', 'forgiven'), ('UNDONE', 'undone'), ('CANCELLED', 'cancelled'), ('EXPIRED', 'not taken'), ('COMPLETED', 'completed')], max_length=21, verbose_name='what'),
        ),
        online.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'OFFERED'), _negated=True), ('hold_expires_at__isnull', False), _connector='OR'), name='booking_hold_ends'),
        ),
    ]
