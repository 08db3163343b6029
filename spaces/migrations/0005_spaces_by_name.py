"""A page of spaces is read without sorting all of them."""

from django.db import migrations, models

from accounts import online


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('spaces', '0004_setup_stamps'),
    ]

    operations = [
        online.AddIndex(
            model_name='space',
            index=models.Index(fields=['name', 'id'], name='space_by_name'),
        ),
    ]
