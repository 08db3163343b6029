"""At which door something was refused; unknown for what older processes count."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0026_cause_of_events'),
    ]

    operations = [
        migrations.AddField(
            model_name='refusalcount',
            name='door',
            field=models.CharField(blank=True, choices=[('ONLINE', 'online'), ('PHONE', 'by phone'), ('WALK_IN', 'without a booking'), ('DESK', 'changed by the staff'), ('SCREEN', 'at a screen')], db_default='', default='', max_length=8),
        ),
    ]
