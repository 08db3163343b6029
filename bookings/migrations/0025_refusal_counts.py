"""How often something was refused at once, by day and reason."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0024_waiting_list'),
        ('spaces', '0013_one_audience_looked_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='RefusalCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('code', models.CharField(max_length=40)),
                ('part', models.PositiveSmallIntegerField()),
                ('count', models.PositiveIntegerField()),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='spaces.space')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('space', 'day', 'code', 'part'), name='refusal_count_once')],
            },
        ),
    ]
