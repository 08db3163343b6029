"""Text messages are one more channel: nothing changes in the table."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0004_guests_hear_too'),
    ]

    operations = [
        migrations.AlterField(
            model_name='endpoint',
            name='channel',
            field=models.CharField(choices=[('MAIL', 'mail'), ('KAFKA', 'Kafka'), ('WEBHOOK', 'webhook'), ('SMS', 'SMS')], max_length=7, verbose_name='channel'),
        ),
    ]
