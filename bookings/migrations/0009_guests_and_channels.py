"""Guests whom staff know, and the ways by which bookings come."""

import django.db.models.deletion
import spaces.codes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0008_held_briefly'),
        ('spaces', '0006_country_of_space'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='channel',
            field=models.CharField(choices=[('PAGE', 'page'), ('API', 'API'), ('STAFF', 'by the staff'), ('WALK_IN', 'walk-in'), ('GUEST', 'page for guests'), ('IMPORT', 'import')], db_default='PAGE', default='PAGE', max_length=7, verbose_name='booked by way of'),
        ),
        migrations.CreateModel(
            name='Guest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.UUIDField(default=spaces.codes.new_code, editable=False, unique=True)),
                ('name', models.CharField(max_length=150, verbose_name='name')),
                ('phone', models.CharField(blank=True, max_length=40, verbose_name='phone')),
                ('phone_digits', models.CharField(blank=True, editable=False, max_length=20)),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('note', models.CharField(blank=True, help_text='For the staff alone.', max_length=500, verbose_name='note')),
                ('allergies', models.CharField(blank=True, max_length=200, verbose_name='allergies and wishes')),
                ('created_at', models.DateTimeField(verbose_name='known since')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='guests', to='spaces.space', verbose_name='space')),
            ],
            options={
                'verbose_name': 'guest',
                'verbose_name_plural': 'guests',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='guest_named'),
                    models.UniqueConstraint(condition=models.Q(('phone_digits', ''), _negated=True), fields=('space', 'phone_digits'), name='guest_by_phone_once'),
                    models.UniqueConstraint(condition=models.Q(('email', ''), _negated=True), fields=('space', 'email'), name='guest_by_email_once'),
                ],
            },
        ),
        migrations.AddField(
            model_name='booking',
            name='guest',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='bookings.guest', verbose_name='known guest'),
        ),
    ]
