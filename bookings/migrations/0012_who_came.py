"""Who came, and when; the rows that exist are looked at in the next migration."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0010_bookings_of_guest'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='checked_in_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='arrived'),
        ),
        migrations.AddField(
            model_name='booking',
            name='seated_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='seated'),
        ),
        migrations.AlterField(
            model_name='bookingevent',
            name='kind',
            field=models.CharField(choices=[('CREATED', 'received'), ('CHECKING_AVAILABILITY', 'being checked'), ('CONFIRMED', 'booked'), ('REJECTED', 'not booked'), ('MOVED', 'moved'), ('AMENDED', 'details changed'), ('KEPT', 'kept'), ('CHECKED_IN', 'arrived'), ('SEATED', 'seated'), ('EXTENDED', 'extended'), ('NO_SHOW', 'did not come'), ('UNDONE', 'undone'), ('CANCELLED', 'cancelled'), ('COMPLETED', 'completed')], max_length=21, verbose_name='what'),
        ),
        online.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'CHECKED_IN'), _negated=True), ('checked_in_at__isnull', False), _connector='OR'), name='booking_checked_in'),
        ),
        online.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('seated_at__isnull', True), ('checked_in_at__isnull', False), _connector='OR'), name='booking_seated'),
        ),
    ]
