"""A space says in which country it is."""

import spaces.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0005_spaces_by_name'),
    ]

    operations = [
        migrations.AddField(
            model_name='space',
            name='country',
            field=models.CharField(blank=True, db_default='', default='', help_text='Two letters, such as GB. Phone numbers and holidays follow it.', max_length=2, validators=[spaces.validators.validate_country], verbose_name='country'),
        ),
    ]
