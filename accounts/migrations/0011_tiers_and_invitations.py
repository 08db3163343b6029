"""Spaces have tiers of members, and people are invited by links."""

import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_person_of_session'),
        ('spaces', '0006_country_of_space'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tiers', to='spaces.space', verbose_name='space')),
            ],
            options={
                'verbose_name': 'tier of members',
                'verbose_name_plural': 'tiers of members',
                'constraints': [models.UniqueConstraint(models.F('space'), django.db.models.functions.text.Lower('name'), name='tier_name_once', violation_error_message='This space has a tier of that name.')],
            },
        ),
        migrations.CreateModel(
            name='TierMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tier', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='accounts.tier')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('tier', 'user'), name='tier_member_once')],
            },
        ),
        migrations.AddField(
            model_name='tier',
            name='members',
            field=models.ManyToManyField(related_name='tiers', through='accounts.TierMember', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('role', models.CharField(choices=[('OWNER', 'owner'), ('MANAGER', 'manager'), ('HOST', 'host'), ('MEMBER', 'member')], max_length=7, verbose_name='role')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('language', models.CharField(blank=True, max_length=5)),
                ('letter', models.PositiveSmallIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(db_index=True, null=True)),
                ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('space', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='spaces.space')),
                ('tier', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='accounts.tier')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(condition=models.Q(('role', 'OWNER')), fields=('role',), name='invitation_of_one_owner'), models.UniqueConstraint(models.F('space'), django.db.models.functions.text.Lower('email'), condition=models.Q(('role__in', ['HOST', 'MANAGER'])), name='invitation_of_staff_once'), models.UniqueConstraint(models.F('tier'), django.db.models.functions.text.Lower('email'), condition=models.Q(('role', 'MEMBER')), name='invitation_of_member_once'), models.CheckConstraint(condition=models.Q(models.Q(('email', ''), ('role', 'OWNER'), ('space__isnull', True), ('tier__isnull', True)), models.Q(('role__in', ['HOST', 'MANAGER']), ('space__isnull', False), ('tier__isnull', True)), models.Q(('role', 'MEMBER'), ('space__isnull', False), ('tier__isnull', False)), _connector='OR'), name='invitation_into')],
            },
        ),
    ]
