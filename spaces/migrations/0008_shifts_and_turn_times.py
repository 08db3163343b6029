"""How a house seats its guests: turn times, shifts, and what it looks at when it chooses."""

import django.core.validators
import django.db.models.deletion
import spaces.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('spaces', '0007_guests_by_link'),
    ]

    operations = [
        migrations.AddField(
            model_name='place',
            name='area',
            field=models.CharField(blank=True, db_default='', default='', help_text='Such as “Terrace”; guests may wish for it.', max_length=40, verbose_name='area'),
        ),
        migrations.AddField(
            model_name='place',
            name='min_party',
            field=models.SmallIntegerField(db_default=1, default=1, help_text='Keeps it for larger parties; the staff may seat fewer.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='at least this many people'),
        ),
        migrations.AddField(
            model_name='place',
            name='priority',
            field=models.SmallIntegerField(db_default=0, default=0, help_text='Of several that suit a party as well, the house chooses the highest.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='priority'),
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Such as “Dinner”.', max_length=40, verbose_name='name')),
                ('weekdays', models.CharField(default='0123456', max_length=7, validators=[spaces.validators.validate_weekdays], verbose_name='weekdays')),
                ('first_seating', models.TimeField(validators=[spaces.validators.validate_quarter_hour], verbose_name='first seating')),
                ('last_seating', models.TimeField(help_text='The latest start. Earlier than the first: in the night after.', validators=[spaces.validators.validate_quarter_hour], verbose_name='last seating')),
                ('covers_online', models.PositiveSmallIntegerField(blank=True, help_text='How many may begin in a quarter hour. Empty: any number.', null=True, validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='people per 15 minutes, online')),
                ('covers_in_house', models.PositiveSmallIntegerField(blank=True, help_text='By phone and without a booking; counted apart. Empty: any number.', null=True, validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='people per 15 minutes, by the staff')),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to='spaces.space', verbose_name='space')),
            ],
            options={
                'verbose_name': 'shift',
                'verbose_name_plural': 'shifts',
            },
        ),
        migrations.AddField(
            model_name='policy',
            name='shift',
            field=models.ForeignKey(blank=True, db_index=False, help_text='Empty: at any time.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='policies', to='spaces.shift', verbose_name='shift'),
        ),
        migrations.CreateModel(
            name='TurnTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_party', models.PositiveSmallIntegerField(help_text='Up to the next line: 1, 3 and 5 make 1–2, 3–4, and 5 or more.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='from this many people')),
                ('minutes', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(15), django.core.validators.MaxValueValidator(1440)], verbose_name='minutes')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='turn_times', to='spaces.space', verbose_name='space')),
            ],
            options={
                'verbose_name': 'turn time',
                'verbose_name_plural': 'turn times',
            },
        ),
        migrations.AddConstraint(
            model_name='shift',
            constraint=models.UniqueConstraint(fields=('space', 'name'), name='shift_name_once'),
        ),
        migrations.AddConstraint(
            model_name='turntime',
            constraint=models.UniqueConstraint(fields=('space', 'from_party'), name='turn_time_once'),
        ),
        migrations.AddConstraint(
            model_name='turntime',
            constraint=models.CheckConstraint(condition=models.Q(('from_party__gte', 1), ('minutes__gte', 15)), name='turn_time_positive'),
        ),
    ]
