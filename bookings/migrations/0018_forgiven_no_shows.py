"""No-shows that the staff have forgiven."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0017_guests_of_an_address'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='forgiven_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='forgiven'),
        ),
        migrations.AlterField(
            model_name='bookingevent',
            name='kind',
            field=models.CharField(choices=[('CREATED', 'received'), ('CHECKING_AVAILABILITY', 'being checked'), ('CONFIRMED', 'booked'), ('REJECTED', 'not booked'), ('MOVED', 'moved'), ('AMENDED', 'details changed'), ('KEPT', 'kept'), ('CHECKED_IN', 'arrived'), ('SEATED', 'seated'), ('EXTENDED', 'extended'), ('NO_SHOW', 'did not come'), ('FORGIVEN', 'forgiven'), ('UNDONE', 'undone'), ('CANCELLED', 'cancelled'), ('COMPLETED', 'completed')], max_length=21, verbose_name='what'),
        ),
    ]
