
import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0013_one_audience_looked_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='space',
            name='hold_minutes',
            field=models.SmallIntegerField(db_default=10, default=10, help_text='For so long a table is held for a party that is told it is ready.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(120)], verbose_name='waiting list: minutes to answer'),
        ),
    ]
