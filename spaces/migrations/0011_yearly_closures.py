"""A space is closed on some dates every year."""

import django.core.validators
import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0010_attendance_looked_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='YearlyClosure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('month', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)])),
                ('day', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(31)])),
                ('days', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)])),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('closed_through', models.PositiveSmallIntegerField(db_index=True)),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='yearly_closures', to='spaces.space', verbose_name='space')),
            ],
            options={
                'verbose_name': 'yearly closure',
                'verbose_name_plural': 'yearly closures',
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('space', 'month', 'day'), name='yearly_closure_once'), models.CheckConstraint(condition=models.Q(('day__gte', 1), ('day__lte', 31), ('month__gte', 1), ('month__lte', 12)), name='yearly_closure_date')],
            },
        ),
    ]
