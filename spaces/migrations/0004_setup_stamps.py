"""The table of stamps. Its triggers are made after each `migrate`: see `spaces.triggers`."""

import django.db.models.deletion
from django.db import migrations, models

from spaces import triggers


def without_triggers(apps, schema_editor):
    """Going back, they would write to a table that is gone."""
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0003_grace_and_contact'),
    ]

    operations = [
        migrations.CreateModel(
            name='SetupStamp',
            fields=[
                ('stamp', models.CharField(max_length=36, primary_key=True, serialize=False)),
                ('space', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='stamps', to='spaces.space')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RunPython(migrations.RunPython.noop, without_triggers),
    ]
